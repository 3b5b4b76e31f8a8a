"""GET /capabilities: what the bridge can do."""

from fastapi import APIRouter, Request

router = APIRouter()


@router.get("/capabilities")
async def capabilities(request: Request):
    return request.app.state.bridge.capabilities()
