---
description: The runner's source, from a folder (--runner-source), held against the digest of its files
pins: [runner]
---
#: stage
FROM tools AS runner-source
# The folder enters the build as a context of its own, exactly the files that git tracks there; it is
# mounted, so no layer keeps what is not copied below.
RUN --mount=type=bind,source=runner-source,target=/run/runner-source \
    set -eu; \
    cp -R /run/runner-source /out; \
    cd /out; \
    if [ -n "$(find . ! -type f ! -type d)" ]; then echo 'runner-source: only regular files are expected' >&2; exit 1; fi; \
    find . -type f -exec sha256sum {} + > /tmp/files; \
    LC_ALL=C sort -o /tmp/files /tmp/files; \
    echo '{{runner.sha256}}  /tmp/files' | sha256sum -c -
