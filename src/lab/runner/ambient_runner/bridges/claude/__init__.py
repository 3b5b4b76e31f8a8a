"""The claude-agent-sdk bridge of the stand-in: it echoes, no agent is started."""

from ambient_runner.bridge import EchoBridge


class ClaudeBridge(EchoBridge):
    framework = "claude-agent-sdk"
