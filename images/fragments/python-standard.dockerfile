---
description: The distribution's Python, and the runner's locked packages
pins: [build-python-rpms]
provides: [/app/.venv/bin/python, /app/.venv/bin/python3, /app/.venv/bin/uvicorn, /usr/local/bin/claude]
---
#: stage
FROM tools AS python
RUN {{network}}
    dnf install -y --nodocs --setopt=install_weak_deps=0 "$@" \
        {{build-python-rpms.packages}}; \
    dnf clean all
ARG TARGETARCH
COPY --from=uv-build /uv /usr/local/bin/uv
COPY --from=runner-source /out/pyproject.toml /out/uv.lock /build/
ENV UV_PROJECT_ENVIRONMENT=/app/.venv \
    UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_CACHE=1 UV_NO_CONFIG=1
WORKDIR /build
# The packages are the target's (--python-platform), put in place by the build platform's
# /usr/bin/python3: both come from the same base, so the link is right in the image too.
# The project itself is not built: its build backend is in no lock. A .pth file makes it importable.
# Bytecode is checked by nobody at run time (unchecked-hash): layer timestamps get clamped, and
# bytecode that records them would count as stale. Files that are not Python 3 stay uncompiled.
RUN {{network}}
    case "$TARGETARCH" in \
        amd64) target=x86_64 ;; \
        arm64) target=aarch64 ;; \
        *) echo "python: no packages are locked for architecture '$TARGETARCH': amd64 and arm64 are" >&2; exit 1 ;; \
    esac; \
    export SSL_CERT_FILE="$ca"; \
    /usr/bin/python3 -c 'import sys; sys.exit("python: 3.12 or newer is required" if sys.version_info < (3, 12) else 0)'; \
    uv venv --python /usr/bin/python3 /app/.venv; \
    uv sync --locked --no-dev --no-install-project --no-build --extra all \
        --python /usr/bin/python3 --python-platform "$target-manylinux_2_34"; \
    ln -sfn /usr/bin/python3 /app/.venv/bin/python; \
    ln -sfn python /app/.venv/bin/python3; \
    sed -i 's|^home = .*|home = /usr/bin|' /app/.venv/pyvenv.cfg; \
    site=$(/app/.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
    echo /app/ambient-runner > "$site/ambient-runner.pth"; \
    /usr/bin/python3 -m compileall -q --invalidation-mode unchecked-hash "$site" \
        || echo 'python: some files were left uncompiled'; \
    if [ ! -f "$site/claude_agent_sdk/_bundled/claude" ]; then \
        echo 'python: claude-agent-sdk carries no claude, and /usr/local/bin/claude would dangle' >&2; exit 1; \
    fi; \
    mkdir -p /links/usr/local/bin; \
    ln -s "$site/claude_agent_sdk/_bundled/claude" /links/usr/local/bin/claude; \
    chmod -R g=u /app/.venv
#: final
COPY --from=python --chown=1001:0 /app/.venv /app/.venv
COPY --from=python --chown=0:0 /links/usr/local/bin /usr/local/bin
