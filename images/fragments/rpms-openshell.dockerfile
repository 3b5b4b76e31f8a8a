---
description: Packages of the base's own signed repositories
pins: [openshell-rpms]
---
#: final
# One layer: what dnf leaves behind (caches, logs, history) goes in the step that made it.
# --allowerasing, since curl conflicts with the base's curl-minimal.
RUN {{network}}
    dnf install -y --allowerasing --nodocs --setopt=install_weak_deps=0 "$@" \
        {{openshell-rpms.packages}}; \
    dnf clean all; \
    rm -rf /var/cache/dnf /var/cache/libdnf5 /var/lib/dnf/history* /var/log/dnf* /var/log/hawkey.log /var/log/rhsm /tmp/build-ca.pem
