import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startMemoryRegistry, type MemoryRegistry } from '../support/registries/memory-registry.ts';
import { publishIndex } from '../support/upstream/images.ts';

const program = join(import.meta.dirname, '../../bin/runner-image.mjs');
let server: MemoryRegistry;
let down = false;
beforeAll(async () => {
  server = await startMemoryRegistry({
    fault: (_request, response, path) => {
      if (!down || !path.includes('team/down')) return false;
      response.writeHead(403).end();
      return true;
    },
  });
});
afterAll(() => server.close());

const digest = (...args: readonly string[]) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [program, 'digest', ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });

it('asks for each reference once, in the order given, and tells gone from could not tell', async () => {
  const names = ['one', 'two', 'one'];
  const made = Object.fromEntries(names.map((name) => [name, publishIndex(server, `team/${name}`, 'v1').digest]));
  const refs = names.map((name) => `${server.host}/team/${name}:v1`);
  server.log.length = 0;
  const whole = await digest(...refs);
  expect(whole).toMatchObject({ code: 0, stderr: '' });
  expect(whole.stdout).toBe(refs.map((ref, at) => `${made[names[at] ?? ''] ?? ''}  ${ref}\n`).join(''));
  expect(server.log).toHaveLength(2);
  expect(server.log.every((line) => line.startsWith('HEAD'))).toBe(true);
  const gone = await digest(refs[0] ?? '', `${server.host}/team/none:v1`);
  expect([gone.code, gone.stdout.includes(`gone  ${server.host}/team/none:v1`)]).toEqual([1, true]);
  down = true;
  const untold = await digest(`${server.host}/team/none:v1`, `${server.host}/team/down:v1`, '--json');
  expect(untold.code).toBe(3);
  expect(JSON.parse(untold.stdout)).toMatchObject([
    { answer: 'gone', code: 'registry/not-found' },
    { answer: 'unknown', code: 'registry/denied', found: 'status 403 (1 attempt)' },
  ]);
  expect(untold.stderr).toContain(`could not resolve ${server.host}/team/down:v1: status 403 (1 attempt)\n`);
  expect(untold.stderr).toMatch(/^do: the account that is logged in .* lacks the right/m);
  expect((await digest('no/host:v1', 'x@sha256:1')).code).toBe(2);
});
