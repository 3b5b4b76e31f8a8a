"""Joins a bridge and the endpoints into one FastAPI application."""

from fastapi import FastAPI


def create_ambient_app(bridge, title="Ambient Runner"):
    from ambient_runner.endpoints import capabilities, events, health, interrupt, run

    app = FastAPI(title=title)
    app.state.bridge = bridge
    for endpoint in (run, interrupt, health, capabilities, events):
        app.include_router(endpoint.router)
    return app
