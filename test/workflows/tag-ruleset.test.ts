import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeConsole } from '../../src/host/output.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call } from '../../scripts/command.ts';
import { command } from '../../scripts/doctor.ts';
import { checkTagRuleset } from '../../src/flows/tag-ruleset.ts';
import { createHost } from '../../src/host/index.ts';

interface Ruleset {
  readonly id: number;
  readonly name: string;
  readonly target?: string;
  readonly enforcement: string;
  readonly conditions: {
    readonly ref_name: { readonly include: readonly string[]; readonly exclude: readonly string[] };
  };
  readonly rules: readonly { readonly type: string }[];
}
const all = ['creation', 'update', 'deletion'];
const rule = (
  changes: Partial<Ruleset> = {},
  types = all,
  include = ['refs/tags/v*'],
  exclude: string[] = [],
): Ruleset => ({
  ...{ id: 1, name: 'releases', target: 'tag', enforcement: 'active', conditions: { ref_name: { include, exclude } } },
  ...{ rules: types.map((type) => ({ type })) },
  ...changes,
});

let server: Server;
let rulesets: readonly Ruleset[] = [];
let status = 200;
beforeAll(async () => {
  server = createServer((request, response) => {
    const id = /\/rulesets\/(\d+)$/.exec(request.url ?? '')?.[1];
    const found = rulesets.find((one) => String(one.id) === id);
    const answer = id === undefined ? rulesets.map(({ conditions: _c, rules: _r, ...short }) => short) : found;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => server.close(() => resolve(undefined))));

const hostWith = (more: Record<string, string | undefined> = {}) => ({
  ...createHost({ quiet: true }),
  env: {
    GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ GITHUB_REPOSITORY: 'o/r', GITHUB_TOKEN: 'ghs_secret', ...more },
  },
});
const stateOf = async (given: readonly Ruleset[]) => {
  [rulesets, status] = [given, 200];
  return (await checkTagRuleset(hostWith())).state;
};

describe('who may push release tags', () => {
  it('is said by an active ruleset for v*, or by several together', async () => {
    expect(await stateOf([rule()])).toBe('ok');
    expect(await stateOf([rule({}, all, ['~ALL'])])).toBe('ok');
    expect(await stateOf([rule({}, ['creation']), rule({ id: 2 }, ['update', 'deletion'])])).toBe('ok');
  });

  it.each<[string, readonly Ruleset[]]>([
    ['no ruleset', []],
    ['one that only evaluates', [rule({ enforcement: 'evaluate' })]],
    ['one that is off', [rule({ enforcement: 'disabled' })]],
    ['one for branches', [rule({ target: 'branch' })]],
    ['one for other tags', [rule({}, all, ['refs/tags/release-*'])]],
    ['one that leaves tags out', [rule({}, all, ['~ALL'], ['refs/tags/v9*'])]],
    ['one that lets tags be created', [rule({}, ['update', 'deletion'])]],
    ['one that lets tags be moved', [rule({}, ['creation', 'deletion', 'non_fast_forward'])]],
    ['one that lets tags be deleted', [rule({}, ['creation', 'update'])]],
  ])('is not said by %s', async (_name, given) => expect(await stateOf(given)).toBe('lacking'));

  it('is unknown without an answer, a token or a repository: exit 3, never green', async () => {
    const exits: (number | undefined)[] = [];
    const run = async (more: Record<string, string | undefined>) => {
      const printed: string[] = [];
      const console = makeConsole({ write: (text) => printed.push(text) });
      exits.push(
        await command.run?.({
          host: hostWith(more),
          console,
          options: { github: true },
          args: [],
        } as Partial<Call> as Call),
      );
      return printed.join('');
    };
    rulesets = [rule()];
    status = 404;
    expect(await run({})).toMatch(/^unknown {2}release tags/);
    status = 200;
    expect(await run({ GITHUB_TOKEN: undefined })).toContain('GITHUB_TOKEN');
    expect(await run({ GITHUB_REPOSITORY: 'o/r/../x' })).toMatch(/^unknown/);
    rulesets = [];
    expect(await run({})).toMatch(/do: Settings/);
    rulesets = [rule()];
    expect(await run({})).toMatch(/^ok/);
    expect(exits).toEqual([3, 3, 3, 1, 0]);
  });
});
