---
description: The runner itself, with bytecode
provides: [/app/ambient-runner/main.py]
---
#: stage
# A stage of its own: a new runner with the same lock does not fetch its packages again.
FROM python AS runner
COPY --from=runner-shipped /out /app/ambient-runner
RUN set -eu; \
    /usr/bin/python3 -m compileall -q --invalidation-mode unchecked-hash /app/ambient-runner; \
    chmod -R g=u /app/ambient-runner
#: final
COPY --from=runner --chown=1001:0 /app/ambient-runner /app/ambient-runner
