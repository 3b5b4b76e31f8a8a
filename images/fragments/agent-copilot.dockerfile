---
description: GitHub Copilot CLI, from its committed lock
pins: [copilot]
provides: [/usr/local/bin/copilot]
files:
  - { path: npm/copilot/package.json, mode: "0644" }
  - { path: npm/copilot/package-lock.json, mode: "0644" }
---
#: stage
FROM tools AS agent-copilot
ARG TARGETARCH
WORKDIR /npm
COPY npm/copilot/package.json npm/copilot/package-lock.json ./
# No install script runs: the packages are the target's, this CPU is the build platform's.
# The link goes to the program itself: npm-loader.js would keep a Node process beside it.
RUN {{network}}
    case "$TARGETARCH" in \
        amd64) cpu=x64 ;; \
        arm64) cpu=arm64 ;; \
        *) echo "copilot: no package is locked for architecture '$TARGETARCH': amd64 and arm64 are" >&2; exit 1 ;; \
    esac; \
    NODE_EXTRA_CA_CERTS="$ca" npm ci --os=linux --cpu="$cpu" --ignore-scripts --omit=dev --no-audit --no-fund \
        --cache=/tmp/npm{{npm.registry}}; \
    mkdir -p /out/usr/local/bin /out/usr/local/lib; \
    test -x "node_modules/@github/copilot-linux-$cpu/copilot"; \
    ln -s "../lib/node_modules/@github/copilot-linux-$cpu/copilot" /out/usr/local/bin/copilot; \
    rm -rf node_modules/.bin node_modules/.package-lock.json; \
    mv node_modules /out/usr/local/lib/node_modules
#: final
COPY --from=agent-copilot --chown=0:0 /out/usr/local /usr/local
