import { expect, test } from 'vitest';
import { finalInstructions, mountPoints } from '../../src/flows/build/instructions.ts';
import { committed, renderAll } from '../dockerfile/definitions.ts';

const dockerfile = `# a comment
FROM base AS tools
RUN --mount=type=bind,source=build-ca,target=/run/build-ca true

FROM base AS image
# a comment between
COPY --chmod=0644 a /b
RUN --mount=type=cache,dst=/var/cache/x --mount=type=tmpfs,target=/tmp/y set -eu; \\
    # a comment inside
    echo "two  words"
ENV A=b
`;

test('the instructions after the last FROM are told one by one, without comments and line ends', () => {
  expect(finalInstructions(dockerfile)).toEqual([
    'COPY --chmod=0644 a /b',
    'RUN --mount=type=cache,dst=/var/cache/x --mount=type=tmpfs,target=/tmp/y set -eu; echo "two words"',
    'ENV A=b',
  ]);
});

test('every mount of every stage is found once', () => {
  expect(mountPoints(dockerfile)).toEqual(['/run/build-ca', '/tmp/y', '/var/cache/x']);
});

test.each([...renderAll(committed)])('%s: nothing but instructions is taken for one', (_name, { text }) => {
  const instructions = finalInstructions(text);
  expect(instructions.length).toBeGreaterThan(10);
  for (const line of instructions)
    expect(line).toMatch(/^(?:RUN|COPY|ENV|EXPOSE|WORKDIR|USER|CMD|ENTRYPOINT|LABEL|ARG) /);
  expect(mountPoints(text)).toEqual(['/run/build-ca']);
});
