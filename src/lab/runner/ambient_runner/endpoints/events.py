"""GET /events/{thread_id}: listens to the thread's run until it ends."""

import asyncio
import json

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

router = APIRouter()


@router.get("/events/{thread_id}")
async def events(thread_id: str, request: Request):
    listeners = request.app.state.bridge.listeners
    queue = asyncio.Queue()
    # Registered before the answer begins: a run started right after it is heard from its start.
    listeners.setdefault(thread_id, []).append(queue)

    async def stream():
        try:
            while not await request.is_disconnected():
                try:
                    event = await asyncio.wait_for(queue.get(), timeout=5)
                except TimeoutError:
                    yield ": heartbeat\n\n"
                    continue
                yield f"data: {json.dumps(event)}\n\n"
                if event["type"] in ("RUN_FINISHED", "RUN_ERROR"):
                    return
        finally:
            listeners[thread_id].remove(queue)

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
