---
description: The runner's source, by commit, held against the tree and the digest of its files
pins: [runner]
---
#: stage
FROM tools AS runner-source
# Three checks, each of another kind: the commit that was asked for, git's own tree object, and
# SHA-256 over the files as they lie on disk (git's objects are SHA-1).
RUN {{network}}
    export GIT_SSL_CAINFO="$ca" GIT_TERMINAL_PROMPT=0; \
    git init --quiet /src; \
    cd /src; \
    git fetch --quiet --depth 1 '{{runner.repository}}' {{runner.commit}}; \
    test "$(git rev-parse FETCH_HEAD)" = {{runner.commit}}; \
    test "$(git rev-parse 'FETCH_HEAD:{{runner.path}}')" = {{runner.tree}}; \
    git read-tree 'FETCH_HEAD:{{runner.path}}'; \
    git checkout-index --all --prefix=/out/; \
    cd /out; \
    if [ -n "$(find . ! -type f ! -type d)" ]; then echo 'runner-source: only regular files are expected' >&2; exit 1; fi; \
    find . -type f -exec sha256sum {} + > /tmp/files; \
    LC_ALL=C sort -o /tmp/files /tmp/files; \
    echo '{{runner.sha256}}  /tmp/files' | sha256sum -c -
