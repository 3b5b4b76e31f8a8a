"""POST /interrupt: ends the thread's run, or every run when no thread is named."""

from fastapi import APIRouter, Request

router = APIRouter()


@router.post("/interrupt")
async def interrupt(request: Request):
    try:
        body = await request.json()
    except ValueError:
        body = {}
    thread_id = body.get("thread_id") if isinstance(body, dict) else None
    request.app.state.bridge.interrupt(thread_id)
    return {"message": "Interrupt signal sent"}
