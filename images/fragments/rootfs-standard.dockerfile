---
description: Wrapper and policy of file mode
provides: [/app/standard-claude-wrapper.sh, /etc/openshell/policy.rego, /etc/openshell/policy.yaml]
files:
  - { path: rootfs/app/standard-claude-wrapper.sh, mode: "0755" }
  - { path: rootfs/etc/openshell/policy.rego, mode: "0644" }
  - { path: rootfs/etc/openshell/policy.yaml, mode: "0644" }
---
#: final
COPY --chown=1001:0 --chmod=0775 rootfs/app/standard-claude-wrapper.sh /app/standard-claude-wrapper.sh
COPY --chown=0:0 --chmod=0644 rootfs/etc/openshell/policy.rego rootfs/etc/openshell/policy.yaml /etc/openshell/
