---
description: OpenCode, from its committed lock
pins: [opencode]
provides: [/usr/local/bin/opencode]
files:
  - { path: npm/opencode/package.json, mode: "0644" }
  - { path: npm/opencode/package-lock.json, mode: "0644" }
---
#: stage
FROM tools AS agent-opencode
ARG TARGETARCH
WORKDIR /npm
COPY npm/opencode/package.json npm/opencode/package-lock.json ./
# No install script runs: the packages are the target's, this CPU is the build platform's.
# The baseline build on x86-64: an image does not know whether its machine has AVX2.
RUN {{network}}
    case "$TARGETARCH" in \
        amd64) cpu=x64; package=opencode-linux-x64-baseline ;; \
        arm64) cpu=arm64; package=opencode-linux-arm64 ;; \
        *) echo "opencode: no package is locked for architecture '$TARGETARCH': amd64 and arm64 are" >&2; exit 1 ;; \
    esac; \
    NODE_EXTRA_CA_CERTS="$ca" npm ci --os=linux --cpu="$cpu" --ignore-scripts --omit=dev --no-audit --no-fund \
        --cache=/tmp/npm{{npm.registry}}; \
    mkdir -p /out/usr/local/bin /out/usr/local/lib; \
    test -x "node_modules/$package/bin/opencode"; \
    ln -s "../lib/node_modules/$package/bin/opencode" /out/usr/local/bin/opencode; \
    rm -rf node_modules/.bin node_modules/.package-lock.json; \
    mv node_modules /out/usr/local/lib/node_modules
#: final
COPY --from=agent-opencode --chown=0:0 /out/usr/local /usr/local
