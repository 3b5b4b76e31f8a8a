# finds: contract/credentials /root/.config/token
ARG BASE
FROM ${BASE}
ARG BASE_DIGEST
USER 0
# Made of two parts, so that no scanner takes this file for a leak; the layer holds it whole.
RUN mkdir -p /root/.config && printf '%s%s\n' ghp_ 'R4nd0mLettersThatNobody1ssuedEver7Kq' > /root/.config/token
RUN rm -r /root/.config
LABEL org.opencontainers.image.title="Broken" \
    org.opencontainers.image.description="One requirement broken" \
    org.opencontainers.image.version="0.0.1" \
    org.opencontainers.image.revision="ffffffffffffffffffffffffffffffffffffffff" \
    org.opencontainers.image.created="2000-01-01T00:00:00Z" \
    org.opencontainers.image.base.name="localhost/base" \
    org.opencontainers.image.base.digest="${BASE_DIGEST}" \
    io.ambient-code.input-digest="sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
USER 1001
