import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { BuildEvent, BuildRequest } from '../../src/engines/index.ts';

/** fixture reads what test/fixtures/record-engines.ts recorded. */
export function fixture(tool: string, name: string): Buffer {
  return readFileSync(join(import.meta.dirname, '..', 'fixtures', tool, name));
}

export const recordedDockerfile = `# A two-stage build that needs no registry.
FROM scratch AS base
ARG TARGETARCH
COPY busybox-\${TARGETARCH} /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN echo hello \\
    && uname -m > /arch

FROM base
COPY --from=base /arch /copied
RUN cat /copied
RUN echo to-out && echo to-err >&2 && \\
    exit 3
`;

export function makeRequest(overrides: Partial<BuildRequest> = {}): BuildRequest & { readonly events: BuildEvent[] } {
  const events: BuildEvent[] = [];
  return {
    platform: 'linux/amd64',
    dockerfile: { path: 'images/openshell/Dockerfile.openshell', text: recordedDockerfile },
    context: () => Readable.from([]),
    buildArgs: {},
    labels: {},
    tag: 'runner-image.local/openshell:linux-amd64',
    signal: new AbortController().signal,
    onProgress: (event) => void events.push(event),
    ...overrides,
    events,
  };
}

/** told gives `started RUN make`-like lines, which read better in a failing test than objects. */
export function told(events: readonly BuildEvent[]): string[] {
  return events.map((event) => `${event.$case} ${event.name}${event.$case === 'log' ? ` > ${event.line}` : ''}`);
}
