---
description: Codex, from its committed lock
pins: [codex]
provides: [/usr/local/bin/codex, /usr/local/bin/rg]
files:
  - { path: npm/codex/package.json, mode: "0644" }
  - { path: npm/codex/package-lock.json, mode: "0644" }
---
#: stage
FROM tools AS agent-codex
ARG TARGETARCH
WORKDIR /npm
COPY npm/codex/package.json npm/codex/package-lock.json ./
# No install script runs: the packages are the target's, this CPU is the build platform's.
# The link goes to the program itself: codex.js would keep a Node process beside it.
RUN {{network}}
    case "$TARGETARCH" in \
        amd64) cpu=x64; triple=x86_64-unknown-linux-musl ;; \
        arm64) cpu=arm64; triple=aarch64-unknown-linux-musl ;; \
        *) echo "codex: no package is locked for architecture '$TARGETARCH': amd64 and arm64 are" >&2; exit 1 ;; \
    esac; \
    NODE_EXTRA_CA_CERTS="$ca" npm ci --os=linux --cpu="$cpu" --ignore-scripts --omit=dev --no-audit --no-fund \
        --cache=/tmp/npm{{npm.registry}}; \
    mkdir -p /out/usr/local/bin /out/usr/local/lib; \
    vendor="@openai/codex-linux-$cpu/vendor/$triple"; \
    test -x "node_modules/$vendor/codex/codex"; \
    test -x "node_modules/$vendor/path/rg"; \
    ln -s "../lib/node_modules/$vendor/codex/codex" /out/usr/local/bin/codex; \
    ln -s "../lib/node_modules/$vendor/path/rg" /out/usr/local/bin/rg; \
    rm -rf node_modules/.bin node_modules/.package-lock.json; \
    mv node_modules /out/usr/local/lib/node_modules
#: final
COPY --from=agent-codex --chown=0:0 /out/usr/local /usr/local
