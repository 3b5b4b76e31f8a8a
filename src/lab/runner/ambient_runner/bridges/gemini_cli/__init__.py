"""The gemini-cli bridge of the stand-in: it echoes, no agent is started."""

from ambient_runner.bridge import EchoBridge


class GeminiCLIBridge(EchoBridge):
    framework = "gemini-cli"
