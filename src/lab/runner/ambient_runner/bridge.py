"""What the three bridges share: one run per thread, which can be listened to and interrupted."""

import asyncio
import os
import uuid


class EchoBridge:
    """Answers with the user's own words, one word an event.

    A message `slow:<seconds>` makes a run that long, so that a client can interrupt it;
    `fail:<text>` ends in RUN_ERROR.
    """

    framework = "echo"

    def __init__(self):
        self.listeners = {}
        self.stops = {}

    def capabilities(self):
        return {
            "framework": self.framework,
            "agent_features": ["agentic_chat"],
            "platform_features": [],
            "file_system": False,
            "mcp": False,
            "tracing": None,
            "session_persistence": False,
            "model": os.environ.get("LLM_MODEL") or None,
            "session_id": os.environ.get("SESSION_ID") or None,
        }

    def publish(self, thread_id, event):
        for queue in self.listeners.get(thread_id, []):
            queue.put_nowait(event)

    def interrupt(self, thread_id):
        stops = [self.stops[thread_id]] if thread_id in self.stops else []
        for stop in stops if thread_id else list(self.stops.values()):
            stop.set()

    async def words(self, text):
        if text.startswith("slow:"):
            for second in range(int(float(text.removeprefix("slow:").split()[0]) * 10)):
                await asyncio.sleep(0.1)
                yield f"{second / 10:.1f} "
            return
        if text.startswith("fail:"):
            raise RuntimeError(text.removeprefix("fail:"))
        for word in text.split():
            yield f"{word} "

    async def run(self, thread_id, run_id, text):
        stop = self.stops[thread_id] = asyncio.Event()
        message = str(uuid.uuid4())
        ids = {"threadId": thread_id, "runId": run_id}
        try:
            yield {"type": "RUN_STARTED", **ids}
            yield {"type": "TEXT_MESSAGE_START", "messageId": message, "role": "assistant"}
            async for word in self.words(text):
                if stop.is_set():
                    break
                yield {"type": "TEXT_MESSAGE_CONTENT", "messageId": message, "delta": word}
            yield {"type": "TEXT_MESSAGE_END", "messageId": message}
            yield {"type": "RUN_FINISHED", **ids}
        except RuntimeError as error:
            yield {"type": "RUN_ERROR", "message": str(error)}
        finally:
            self.stops.pop(thread_id, None)
