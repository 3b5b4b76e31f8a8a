---
description: Packages of the base's own signed repositories
pins: [standard-rpms]
---
#: final
# One layer: what dnf leaves behind (caches, logs, history) goes in the step that made it.
RUN {{network}}
    dnf install -y --nodocs --setopt=install_weak_deps=0 "$@" \
        {{standard-rpms.packages}}; \
    dnf clean all; \
    rm -rf /var/cache/dnf /var/cache/libdnf5 /var/lib/dnf/history* /var/log/dnf* /var/log/hawkey.log /var/log/rhsm /tmp/build-ca.pem
