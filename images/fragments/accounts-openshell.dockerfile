---
description: Accounts with fixed ids, and the sandbox's directories
provides: [/sandbox, /sandbox/workspace/artifacts, /sandbox/workspace/file-uploads, /sandbox/.runner/logs, /workspace]
---
#: final
# The accounts come before the packages, so that no package's account can take their numbers. They
# are written as lines: useradd would add today's date to /etc/shadow and make every build differ.
# Group 0 gets what the owner has, since OpenShift runs a random user of group 0.
RUN set -eu; \
    for id in 990 1000; do \
        if getent passwd "$id" || getent group "$id"; then echo "accounts: the base already uses id $id" >&2; exit 1; fi; \
    done; \
    printf '%s\n' 'supervisor:x:990:' 'sandbox:x:1000:' >> /etc/group; \
    printf '%s\n' 'supervisor:x:990:990:OpenShell supervisor:/:/sbin/nologin' \
        'sandbox:x:1000:1000:OpenShell sandbox:/sandbox:/bin/bash' >> /etc/passwd; \
    printf '%s\n' 'supervisor:!::::::' 'sandbox:!::::::' >> /etc/shadow; \
    install -d -o 1000 -g 0 -m 0775 /sandbox \
        /sandbox/.agents /sandbox/.agents/skills /sandbox/.claude /sandbox/.local /sandbox/.local/bin \
        /sandbox/.claude/skills /sandbox/.runner /sandbox/.runner/logs /sandbox/.uv /sandbox/.venv \
        /sandbox/workspace /sandbox/workspace/artifacts /sandbox/workspace/file-uploads \
        /workspace
