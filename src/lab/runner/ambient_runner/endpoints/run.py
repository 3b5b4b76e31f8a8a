"""POST /: one AG-UI run as server-sent events."""

import json
import uuid
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

router = APIRouter()


class RunnerInput(BaseModel):
    threadId: str | None = None
    thread_id: str | None = None
    runId: str | None = None
    run_id: str | None = None
    messages: list[dict[str, Any]]


def last_user_text(messages):
    for message in reversed(messages):
        if message.get("role") == "user":
            content = message.get("content", "")
            if isinstance(content, str):
                return content
            return " ".join(part.get("text", "") for part in content)
    return ""


@router.post("/")
async def run(body: RunnerInput, request: Request):
    bridge = request.app.state.bridge
    thread_id = body.threadId or body.thread_id or str(uuid.uuid4())
    run_id = body.runId or body.run_id or str(uuid.uuid4())

    async def stream():
        async for event in bridge.run(thread_id, run_id, last_user_text(body.messages)):
            bridge.publish(thread_id, event)
            yield f"data: {json.dumps(event)}\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
