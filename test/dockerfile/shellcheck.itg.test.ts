import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { committed, renderAll } from './definitions.ts';

/** runBodies gives the shell text of each RUN, without the mounts before it. */
function runBodies(text: string): string[] {
  const bodies: string[] = [];
  let open: string[] | undefined;
  for (const line of text.split('\n')) {
    if (open === undefined && !line.startsWith('RUN ')) continue;
    open ??= [];
    open.push(open.length === 0 ? line.replace(/^RUN (?:--mount=\S+ )*/, '') : line);
    if (line.endsWith('\\')) continue;
    bodies.push(open.join('\n'));
    open = undefined;
  }
  return bodies;
}

describe('the shell in every RUN', () => {
  it.each([...renderAll(committed)])('of %s passes shellcheck', (_name, { text }) => {
    const bodies = runBodies(text);
    expect(bodies.length).toBeGreaterThan(5);
    for (const body of bodies) {
      // SC2154: TARGETARCH and BUILDARCH come from ARG, which shellcheck does not see.
      const { stdout, status, error } = spawnSync('shellcheck', ['--shell=bash', '--exclude=SC2154', '-'], {
        input: body,
        encoding: 'utf8',
      });
      if (error !== undefined) throw error;
      expect(`${stdout}${status ?? 'not ended'}`).toBe('0');
    }
  });
});
