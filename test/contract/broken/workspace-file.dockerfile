# finds: contract/required-path /workspace
ARG BASE
FROM ${BASE}
ARG BASE_DIGEST
USER 0
# Without it the policy would name a path that is not there, which is a finding of its own.
RUN rm -r /workspace && touch /workspace && chmod 0664 /workspace
LABEL org.opencontainers.image.title="Broken" \
    org.opencontainers.image.description="One requirement broken" \
    org.opencontainers.image.version="0.0.1" \
    org.opencontainers.image.revision="ffffffffffffffffffffffffffffffffffffffff" \
    org.opencontainers.image.created="2000-01-01T00:00:00Z" \
    org.opencontainers.image.base.name="localhost/base" \
    org.opencontainers.image.base.digest="${BASE_DIGEST}" \
    io.ambient-code.input-digest="sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
USER 1001
