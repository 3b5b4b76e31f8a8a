---
description: What of the runner's source runs
---
#: stage
FROM runner-source AS runner-shipped
# What does not run stays behind: tests, documents, Dockerfiles, certificates, and the files that the
# images bring themselves.
RUN set -eu; \
    cd /out; \
    rm -rf tests docs scripts .openshell-ref; \
    find . -type f '(' -name AGENTS.md -o -name README.md ')' -delete; \
    find . -maxdepth 1 -type f '(' -name '*.md' -o -name '*.pem' -o -name '*.sh' -o -name 'Dockerfile*' \
        -o -name '.mcp*.json' -o -name .dockerignore ')' -delete; \
    rm -f claude.json claude-settings.json claude-settings-local.json mcp.json policy.yaml sdk-options-manifest.json
