---
description: Python by uv, and the runner's locked packages
pins: [python]
provides: [/sandbox/.venv/bin/python, /sandbox/.venv/bin/python3, /sandbox/.venv/bin/uvicorn, /usr/local/bin/python, /usr/local/bin/python3]
---
#: stage
FROM tools AS python
ARG TARGETARCH
ARG BUILDARCH
COPY --from=uv-build /uv /usr/local/bin/uv
COPY --from=runner-source /out/pyproject.toml /out/uv.lock /build/
ENV UV_PYTHON_INSTALL_DIR=/sandbox/.uv/python UV_PROJECT_ENVIRONMENT=/sandbox/.venv \
    UV_PYTHON_DOWNLOADS=manual UV_LINK_MODE=copy UV_NO_CACHE=1 UV_NO_CONFIG=1
WORKDIR /build
# The packages are the target's (--python-platform), the interpreter that puts them in place is the
# build platform's; afterwards the environment's links are turned to the target's interpreter.
# The project itself is not built: its build backend is in no lock. A .pth file makes it importable.
# Bytecode is checked by nobody at run time (unchecked-hash): layer timestamps get clamped, and
# bytecode that records them would count as stale. Files that are not Python 3 stay uncompiled.
RUN {{network}}
    cpu() { case "$1" in \
        amd64) echo x86_64 ;; \
        arm64) echo aarch64 ;; \
        *) echo "python: no interpreter is pinned for architecture '$1': amd64 and arm64 are" >&2; return 1 ;; \
    esac; }; \
    target=$(cpu "$TARGETARCH"); \
    build=$(cpu "$BUILDARCH"); \
    export SSL_CERT_FILE="$ca"; \
    home="/sandbox/.uv/python/cpython-{{python.version}}-linux-$target-gnu"; \
    builder="$home/bin/python{{python.minor}}"; \
    uv python install --no-bin "cpython-{{python.version}}-linux-$target-gnu"; \
    if [ "$build" != "$target" ]; then \
        UV_PYTHON_INSTALL_DIR=/tmp/python uv python install --no-bin "cpython-{{python.version}}-linux-$build-gnu"; \
        builder="/tmp/python/cpython-{{python.version}}-linux-$build-gnu/bin/python{{python.minor}}"; \
    fi; \
    uv venv --python "$builder" /sandbox/.venv; \
    uv sync --locked --no-dev --no-install-project --no-build --extra all \
        --python "$builder" --python-platform "$target-manylinux_2_34"; \
    ln -sfn "$home/bin/python{{python.minor}}" /sandbox/.venv/bin/python; \
    ln -sfn python /sandbox/.venv/bin/python3; \
    ln -sfn python /sandbox/.venv/bin/python{{python.minor}}; \
    sed -i "s|^home = .*|home = $home/bin|" /sandbox/.venv/pyvenv.cfg; \
    site=/sandbox/.venv/lib/python{{python.minor}}/site-packages; \
    echo /runner/ambient-runner > "$site/ambient-runner.pth"; \
    "$builder" -m compileall -q --invalidation-mode unchecked-hash -x '/(test|tests|idle_test|lib2to3)/' \
        "$home/lib/python{{python.minor}}" "$site" || echo 'python: some files were left uncompiled'; \
    mkdir -p /links/usr/local/bin; \
    ln -s "$home/bin/python{{python.minor}}" /links/usr/local/bin/python; \
    ln -s "$home/bin/python{{python.minor}}" /links/usr/local/bin/python3; \
    ln -s "$builder" /links/python-build; \
    chmod -R g=u /sandbox/.uv /sandbox/.venv
#: final
COPY --from=python --chown=1000:0 /sandbox/.uv /sandbox/.uv
COPY --from=python --chown=1000:0 /sandbox/.venv /sandbox/.venv
COPY --from=python --chown=0:0 /links/usr/local/bin /usr/local/bin
