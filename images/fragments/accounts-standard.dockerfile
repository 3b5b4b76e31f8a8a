---
description: Accounts with fixed ids, and the directories that the runner writes
provides: [/app, /app/.claude, /app/vertex, /workspace, /home/sandbox, /run/netns]
---
#: final
# The accounts come before the packages, so that no package's account can take their numbers. They
# are written as lines: useradd would add today's date to /etc/shadow and make every build differ.
# Group 0 gets what the owner has, since OpenShift runs a random user of group 0.
RUN set -eu; \
    for id in 1000 1001; do \
        if getent passwd "$id" || getent group "$id"; then echo "accounts: the base already uses id $id" >&2; exit 1; fi; \
    done; \
    printf '%s\n' 'sandbox:x:1000:' >> /etc/group; \
    printf '%s\n' 'sandbox:x:1000:1000:OpenShell sandbox:/home/sandbox:/bin/bash' \
        'runner:x:1001:0:Ambient runner:/app:/bin/bash' >> /etc/passwd; \
    printf '%s\n' 'sandbox:!::::::' 'runner:!::::::' >> /etc/shadow; \
    install -d -o 1000 -g 1000 -m 0755 /home/sandbox; \
    install -d -o 1000 -g 0 -m 0775 /workspace; \
    install -d -o 1001 -g 0 -m 0775 /app /app/.claude /app/.venv /app/ambient-runner /app/vertex; \
    install -d -m 1777 /run/netns
