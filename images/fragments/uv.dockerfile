---
description: uv, for the build platform's stages and for the image
pins: [uv]
provides: [/usr/local/bin/uv]
---
#: stage
FROM --platform=$BUILDPLATFORM {{uv.reference}} AS uv-build
FROM {{uv.reference}} AS uv
#: final
COPY --from=uv --chown=0:0 --chmod=0755 /uv /usr/local/bin/uv
