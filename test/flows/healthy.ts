import type { Project } from './project.ts';

/** A server that keeps no more of the contract than the gate looks at: it answers /health, and ends on SIGTERM. */
const main = `import http.server, os, signal, sys

class Runner(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.HTTPServer(("", int(os.environ["AGUI_PORT"])), Runner).serve_forever()
`;

const policy = `version: 1
filesystem_policy:
  include_workdir: true
  read_only: [/usr, /etc]
  read_write: [/tmp]
landlock:
  compatibility: best_effort
process:
  run_as_user: sandbox
  run_as_group: sandbox
network_policies: {}
`;

const site = '/usr/lib/python3/dist-packages';
const files: Readonly<Record<string, string>> = {
  'app/ambient-runner/main.py': main,
  'app/standard-claude-wrapper.sh': '#!/bin/bash\nexec claude "$@"\n',
  'etc/openshell/policy.yaml': policy,
  [`${site.slice(1)}/ambient_runner/__init__.py`]: '',
  [`${site.slice(1)}/ambient_runner/bridges/claude/__init__.py`]: '',
  [`${site.slice(1)}/ambient_runner/bridges/gemini_cli/__init__.py`]: '',
  [`${site.slice(1)}/ambient_runner/bridges/langgraph/__init__.py`]: '',
  [`${site.slice(1)}/uvicorn/__init__.py`]: '',
};

const fragment = (command: string): string => `---
description: The least that the gate lets through
provides: [/app/ambient-runner/main.py]
files:
${Object.keys(files)
  .map((path) => `  - { path: rootfs/${path}, mode: "${path.endsWith('.sh') ? '0755' : '0644'}" }\n`)
  .join('')}---
#: final
${Object.keys(files)
  .map((path) => `COPY --chown=0:0 rootfs/${path} /${path}\n`)
  .join('')}RUN chmod 0775 /app; chmod 0755 /app/ambient-runner; install -d -g 0 -m 0775 /workspace; \\
    echo "sandbox:x:1001:0:sandbox:/app:/bin/bash" >> /etc/passwd; echo "sandbox:x:1001:" >> /etc/group
ENV HOME=/app \\
    SHELL=/bin/bash \\
    PYTHONUNBUFFERED=1 \\
    PYTHONDONTWRITEBYTECODE=1 \\
    AGUI_PORT=8001 \\
    RUNNER_TYPE=claude-agent-sdk
EXPOSE 8001
WORKDIR /app
USER 1001
CMD ${command}
`;

/** healthyProject makes the project's image one that the gate opens for; `command` is its CMD. */
export async function healthyProject(
  project: Project,
  command = '["python3", "/app/ambient-runner/main.py"]',
): Promise<void> {
  await project.write('images/fragments/small.dockerfile', fragment(command));
  for (const [path, content] of Object.entries(files)) await project.write(`images/small/rootfs/${path}`, content);
}
