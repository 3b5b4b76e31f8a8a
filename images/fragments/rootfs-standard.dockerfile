---
description: Wrapper, MCP servers and policy of file mode
provides: [/app/standard-claude-wrapper.sh, /app/ambient-runner/.mcp.json, /etc/openshell/policy.rego, /etc/openshell/policy.yaml]
files:
  - { path: rootfs/app/standard-claude-wrapper.sh, mode: "0755" }
  - { path: rootfs/app/ambient-runner/.mcp.json, mode: "0664" }
  - { path: rootfs/etc/openshell/policy.rego, mode: "0644" }
  - { path: rootfs/etc/openshell/policy.yaml, mode: "0644" }
---
#: final
COPY --chown=1001:0 --chmod=0775 rootfs/app/standard-claude-wrapper.sh /app/standard-claude-wrapper.sh
COPY --chown=1001:0 --chmod=0664 rootfs/app/ambient-runner/.mcp.json /app/ambient-runner/.mcp.json
COPY --chown=0:0 --chmod=0644 rootfs/etc/openshell/policy.rego rootfs/etc/openshell/policy.yaml /etc/openshell/
