---
description: Build tools, on the build platform whatever the target is
pins: [build-rpms]
---
#: stage
# Everything that does not need the target's CPU happens in stages on top of this one: downloads,
# checks and unpacking never run under emulation.
FROM --platform=$BUILDPLATFORM {{base.reference}} AS tools
RUN {{network}}
    dnf install -y --nodocs --setopt=install_weak_deps=0 "$@" \
        {{build-rpms.packages}}; \
    dnf clean all
