---
description: uv and uvx, for the build platform's stages and for the image
pins: [uv]
provides: [/usr/local/bin/uv, /usr/local/bin/uvx, /usr/local/bin/pip, /usr/local/bin/pip3]
files:
  - { path: rootfs/usr/local/bin/pip, mode: "0755" }
---
#: stage
FROM --platform=$BUILDPLATFORM {{uv.reference}} AS uv-build
FROM {{uv.reference}} AS uv
#: final
COPY --from=uv --chown=0:0 --chmod=0755 /uv /uvx /usr/local/bin/
COPY --chown=0:0 --chmod=0755 rootfs/usr/local/bin/pip /usr/local/bin/pip
COPY --chown=0:0 --chmod=0755 rootfs/usr/local/bin/pip /usr/local/bin/pip3
