---
description: OpenShell's supervisor, which the wrapper runs in file mode
pins: [supervisor]
provides: [/openshell-sandbox]
---
#: stage
FROM {{supervisor.reference}} AS supervisor
#: final
COPY --from=supervisor --chown=0:0 --chmod=0755 /openshell-sandbox /openshell-sandbox
