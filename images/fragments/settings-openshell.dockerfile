---
description: Environment, port and start command
---
#: final
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    UV_PYTHON_INSTALL_DIR=/sandbox/.uv/python \
    PATH=/sandbox/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    VIRTUAL_ENV=/sandbox/.venv \
    RUNNER_TYPE={{param.runner_type}} \
    HOME=/sandbox \
    SHELL=/bin/bash \
    TERM=xterm-256color \
    AGUI_PORT=8001
EXPOSE 8001
WORKDIR /sandbox
# No USER: the gateway needs root to set the sandbox up, then drops to `sandbox` as the policy says.
CMD ["/runner/entrypoint.sh"]
