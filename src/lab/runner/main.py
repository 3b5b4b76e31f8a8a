"""The lab's stand-in for the Ambient runner: the contract's endpoints, with agents that only echo."""

import importlib
import os

from ambient_runner.app import create_ambient_app

os.umask(0o022)

RUNNER_TYPE = os.environ.get("RUNNER_TYPE", "claude-agent-sdk").strip().lower()

BRIDGE_REGISTRY = {
    "claude-agent-sdk": ("ambient_runner.bridges.claude", "ClaudeBridge"),
    "gemini-cli": ("ambient_runner.bridges.gemini_cli", "GeminiCLIBridge"),
    "langgraph": ("ambient_runner.bridges.langgraph", "LangGraphBridge"),
}


def load_bridge(runner_type):
    if runner_type not in BRIDGE_REGISTRY:
        raise ValueError(f"Unknown RUNNER_TYPE={runner_type!r}. Available: {sorted(BRIDGE_REGISTRY)}")
    module, name = BRIDGE_REGISTRY[runner_type]
    return getattr(importlib.import_module(module), name)()


app = create_ambient_app(load_bridge(RUNNER_TYPE), title="Ambient Runner (lab stand-in)")
