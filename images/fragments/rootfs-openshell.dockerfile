---
description: Start script, shell settings and policy
provides: [/runner/entrypoint.sh, /etc/openshell/policy.yaml]
files:
  - { path: rootfs/runner/entrypoint.sh, mode: "0755" }
  - { path: rootfs/sandbox/.bashrc, mode: "0664" }
  - { path: rootfs/sandbox/.profile, mode: "0664" }
  - { path: "policy/{{variant.name}}.yaml", mode: "0644" }
---
#: final
COPY --chown=0:0 --chmod=0755 rootfs/runner/entrypoint.sh /runner/entrypoint.sh
COPY --chown=1000:0 --chmod=0664 rootfs/sandbox/.bashrc rootfs/sandbox/.profile /sandbox/
COPY --chown=0:0 --chmod=0644 policy/{{variant.name}}.yaml /etc/openshell/policy.yaml
