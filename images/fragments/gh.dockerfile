---
description: GitHub CLI, from its release, held against the committed checksums
pins: [gh]
provides: [/usr/local/bin/gh]
---
#: stage
FROM tools AS gh
ARG TARGETARCH
RUN {{network}}
    case "$TARGETARCH" in \
        amd64) url='{{gh.url.amd64}}'; sum={{gh.sha256.amd64}} ;; \
        arm64) url='{{gh.url.arm64}}'; sum={{gh.sha256.arm64}} ;; \
        *) echo "gh: no release is pinned for architecture '$TARGETARCH': amd64 and arm64 are" >&2; exit 1 ;; \
    esac; \
    curl --fail --silent --show-error --location --proto '=https' --proto-redir '=https' --tlsv1.2 --retry 3 \
        --cacert "$ca" --output /tmp/gh.tar.gz "$url"; \
    echo "$sum  /tmp/gh.tar.gz" | sha256sum -c - \
        || { echo "gh: $url: expected $sum, found $(sha256sum < /tmp/gh.tar.gz)" >&2; exit 1; }; \
    tar --extract --gzip --no-same-owner --file /tmp/gh.tar.gz --directory /tmp "gh_{{gh.version}}_linux_$TARGETARCH/bin/gh"; \
    install -D -m 0755 "/tmp/gh_{{gh.version}}_linux_$TARGETARCH/bin/gh" /out/gh
#: final
COPY --from=gh --chown=0:0 --chmod=0755 /out/gh /usr/local/bin/gh
