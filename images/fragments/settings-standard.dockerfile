---
description: Environment, port, user and start command
---
#: final
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/app/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    VIRTUAL_ENV=/app/.venv \
    RUNNER_TYPE={{param.runner_type}} \
    HOME=/app \
    SHELL=/bin/bash \
    TERM=xterm-256color \
    AGUI_PORT=8001
EXPOSE 8001
WORKDIR /app/ambient-runner
USER 1001
# exec, so that the runner is process 1 and gets the signals.
CMD ["/bin/bash", "-c", "exec uvicorn main:app --host 0.0.0.0 --port \"${AGUI_PORT:-8001}\""]
