---
description: Gemini CLI, from its committed lock
pins: [gemini]
provides: [/usr/local/bin/gemini]
files:
  - { path: npm/gemini/package.json, mode: "0644" }
  - { path: npm/gemini/package-lock.json, mode: "0644" }
---
#: stage
FROM tools AS agent-gemini
ARG TARGETARCH
WORKDIR /npm
COPY npm/gemini/package.json npm/gemini/package-lock.json ./
# No install script runs: the packages are the target's, this CPU is the build platform's.
# keytar brings prebuilt libraries of a dozen platforms; one is the target's.
RUN {{network}}
    case "$TARGETARCH" in \
        amd64) cpu=x64 ;; \
        arm64) cpu=arm64 ;; \
        *) echo "gemini: no package is locked for architecture '$TARGETARCH': amd64 and arm64 are" >&2; exit 1 ;; \
    esac; \
    NODE_EXTRA_CA_CERTS="$ca" npm ci --os=linux --cpu="$cpu" --ignore-scripts --omit=dev --no-audit --no-fund \
        --cache=/tmp/npm{{npm.registry}}; \
    mkdir -p /out/usr/local/bin /out/usr/local/lib; \
    find node_modules/@github/keytar/prebuilds -mindepth 1 -maxdepth 1 ! -name "linux-$cpu" -exec rm -rf {} +; \
    chmod 0755 node_modules/@google/gemini-cli/bundle/gemini.js; \
    ln -s ../lib/node_modules/@google/gemini-cli/bundle/gemini.js /out/usr/local/bin/gemini; \
    rm -rf node_modules/.bin node_modules/.package-lock.json; \
    mv node_modules /out/usr/local/lib/node_modules
#: final
COPY --from=agent-gemini --chown=0:0 /out/usr/local /usr/local
