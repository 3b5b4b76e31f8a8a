"""Stand-in for ambient_runner, made for the lab of openshell-runner-images."""

from ambient_runner.app import create_ambient_app

__all__ = ["create_ambient_app"]
__version__ = "0.4.0"
