"""GET /health."""

import os

from fastapi import APIRouter

router = APIRouter()


@router.get("/health")
async def health():
    return {"status": "healthy", "session_id": os.environ.get("SESSION_ID")}
