"""The langgraph bridge of the stand-in: it echoes, no agent is started."""

from ambient_runner.bridge import EchoBridge


class LangGraphBridge(EchoBridge):
    framework = "langgraph"
