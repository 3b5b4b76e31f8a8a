---
description: The runner itself, with bytecode
provides: [/runner/ambient-runner/main.py]
---
#: stage
# A stage of its own: a new runner with the same lock does not fetch its packages again.
FROM python AS runner
COPY --from=runner-shipped /out /runner/ambient-runner
RUN set -eu; \
    /links/python-build -m compileall -q --invalidation-mode unchecked-hash /runner/ambient-runner; \
    chmod -R g=u /runner
#: final
COPY --from=runner --chown=0:0 /runner/ambient-runner /runner/ambient-runner
