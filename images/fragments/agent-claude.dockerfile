---
description: Claude Code, from its committed lock
pins: [claude]
provides: [/usr/local/bin/claude, /usr/local/lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe, /opt/claude/bin/claude, /sandbox/.local/bin/claude, /sandbox/.mcp.json, /sandbox/.claude.json]
files:
  - { path: npm/claude/package.json, mode: "0644" }
  - { path: npm/claude/package-lock.json, mode: "0644" }
  - { path: rootfs/usr/local/bin/claude, mode: "0755" }
  - { path: rootfs/etc/claude-code/managed-settings.json, mode: "0644" }
  - { path: rootfs/sandbox/.claude.json, mode: "0664" }
  - { path: rootfs/sandbox/.mcp.json, mode: "0664" }
  - { path: rootfs/sandbox/.claude/settings.json, mode: "0664" }
  - { path: rootfs/sandbox/.claude/settings.local.json, mode: "0664" }
---
#: stage
FROM tools AS agent-claude
ARG TARGETARCH
WORKDIR /npm
COPY npm/claude/package.json npm/claude/package-lock.json ./
# No install script runs: the packages are the target's, this CPU is the build platform's.
# What the package's install.cjs would do is done by hand: the platform's program takes the place of
# the stub. /usr/local/bin/claude is the wrapper's, a file of its own and no link.
RUN {{network}}
    case "$TARGETARCH" in \
        amd64) cpu=x64 ;; \
        arm64) cpu=arm64 ;; \
        *) echo "claude: no package is locked for architecture '$TARGETARCH': amd64 and arm64 are" >&2; exit 1 ;; \
    esac; \
    NODE_EXTRA_CA_CERTS="$ca" npm ci --os=linux --cpu="$cpu" --ignore-scripts --omit=dev --no-audit --no-fund \
        --cache=/tmp/npm{{npm.registry}}; \
    mkdir -p /out/usr/local/bin /out/usr/local/lib; \
    mv -f "node_modules/@anthropic-ai/claude-code-linux-$cpu/claude" node_modules/@anthropic-ai/claude-code/bin/claude.exe; \
    chmod 0755 node_modules/@anthropic-ai/claude-code/bin/claude.exe; \
    install -d -m 0775 /out/sandbox/.local/bin; \
    mkdir -p /out/opt/claude/bin; \
    ln -s /usr/local/lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe /out/opt/claude/bin/claude; \
    ln -s /usr/local/lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe /out/sandbox/.local/bin/claude; \
    rm -rf node_modules/.bin node_modules/.package-lock.json; \
    mv node_modules /out/usr/local/lib/node_modules
#: final
COPY --from=agent-claude --chown=0:0 /out/usr/local /usr/local
COPY --from=agent-claude --chown=0:0 /out/opt/claude /opt/claude
COPY --from=agent-claude --chown=1000:0 /out/sandbox/.local/bin /sandbox/.local/bin
COPY --chown=0:0 --chmod=0755 rootfs/usr/local/bin/claude /usr/local/bin/claude
# What holds in every session is managed; the rest is what the platform compares with its own source.
COPY --chown=0:0 --chmod=0644 rootfs/etc/claude-code/managed-settings.json /etc/claude-code/managed-settings.json
COPY --chown=1000:0 --chmod=0664 rootfs/sandbox/.claude.json rootfs/sandbox/.mcp.json /sandbox/
COPY --chown=1000:0 --chmod=0664 rootfs/sandbox/.claude/settings.json rootfs/sandbox/.claude/settings.local.json /sandbox/.claude/
