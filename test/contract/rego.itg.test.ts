import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../src/lab/paths.ts';
import { startOpa, type Answer, type Opa, type Question } from './opa.ts';

const folder = join(projectRoot, 'images/standard/rootfs/etc/openshell');
const rules = join(folder, 'policy.rego');

let opa: Opa;
let shipped: Record<string, unknown>;
beforeAll(async () => {
  opa = await startOpa();
  shipped = parse(await readFile(join(folder, 'policy.yaml'), 'utf8')) as Record<string, unknown>;
}, 180_000);
afterAll(() => opa.close());

interface Asked {
  readonly host: string;
  readonly port?: number;
  readonly by: string;
  readonly under?: readonly string[];
  readonly method?: string;
  readonly path?: string;
  readonly query?: Readonly<Record<string, readonly string[]>>;
}

const inputOf = ({ host, port = 443, by, under = [], method, path, query = {} }: Asked): unknown => ({
  network: { host, port },
  exec: { path: by, ancestors: under },
  ...(method === undefined ? {} : { request: { method, path, query_params: query } }),
});

const of = (data: Question['data'], asked: Readonly<Record<string, Asked>>): Record<string, Question> =>
  Object.fromEntries(Object.entries(asked).map(([name, one]) => [name, { data, input: inputOf(one) }]));

/** The names of the questions that the rule answered with true. */
const yes = (answers: Readonly<Record<string, Answer>>, rule: 'allow_network' | 'allow_request'): string[] =>
  Object.entries(answers).flatMap(([name, answer]) => (answer[rule] === true ? [name] : []));

const policy = (endpoint: object, ...binaries: string[]): Question['data'] => ({
  network_policies: {
    one: { name: 'one', endpoints: [endpoint], binaries: binaries.map((path) => ({ path })) },
  },
});

describe('the shipped policy, evaluated by the Open Policy Agent', () => {
  const git = '/usr/lib/git-core/git-remote-http';
  const claude = '/app/.venv/lib/python3.12/site-packages/claude_agent_sdk/_bundled/claude';

  test('lets each program reach what it needs, and nothing else', async () => {
    const asked: Record<string, Asked> = {
      'the agent to the model': { host: 'api.anthropic.com', by: claude },
      'the agent to a region of Vertex': { host: 'us-east5-aiplatform.googleapis.com', by: claude },
      'git to GitHub': { host: 'github.com', by: git },
      'curl to the API': { host: 'api.github.com', by: '/usr/bin/curl' },
      'a child of curl to the API': { host: 'API.github.com', by: '/usr/bin/cat', under: ['/usr/bin/curl'] },
      'npm to a host of npm': { host: 'packages.npmjs.org', by: '/usr/bin/node-22' },
      'curl to the model': { host: 'api.anthropic.com', by: '/usr/bin/curl' },
      'the agent to somewhere else': { host: 'example.com', by: claude },
      'the agent to another port': { host: 'api.anthropic.com', port: 80, by: claude },
      'npm to two labels': { host: 'a.b.npmjs.org', by: '/usr/bin/node' },
      'a host that only ends alike': { host: 'evil-npmjs.org', by: '/usr/bin/node' },
      'another program of that name': { host: 'github.com', by: '/tmp/git-core/git-remote-http' },
      'a program below': { host: 'api.github.com', by: '/usr/bin/curl/x' },
    };
    const answers = await opa.ask(rules, of(shipped, asked));
    expect(yes(answers, 'allow_network')).toEqual([
      'a child of curl to the API',
      'curl to the API',
      'git to GitHub',
      'npm to a host of npm',
      'the agent to a region of Vertex',
      'the agent to the model',
    ]);
    expect(answers['git to GitHub']).toMatchObject({ network_action: 'allow', matched_network_policy: 'github_git' });
    expect(answers['the agent to somewhere else']).toMatchObject({
      network_action: 'deny',
      deny_reason: 'endpoint example.com:443 is in no policy',
    });
    expect(answers['curl to the model']?.deny_reason).toContain('binary /usr/bin/curl may not reach api.anthropic.com');
  });

  test('lets Git fetch and not push, and the API be read and not written', async () => {
    const github = { host: 'github.com', by: git };
    const api = { host: 'api.github.com', by: '/usr/local/bin/gh', path: '/repos/a/b/issues' };
    const refs = '/a/b.git/info/refs';
    const asked: Record<string, Asked> = {
      'fetch: refs': { ...github, method: 'GET', path: refs, query: { service: ['git-upload-pack'] } },
      'fetch: pack': { ...github, method: 'POST', path: '/a/b.git/git-upload-pack' },
      'push: refs': { ...github, method: 'GET', path: refs, query: { service: ['git-receive-pack'] } },
      'push: both at once': {
        ...github,
        method: 'GET',
        path: refs,
        query: { service: ['git-upload-pack', 'git-receive-pack'] },
      },
      'push: unsaid': { ...github, method: 'GET', path: refs },
      'push: pack': { ...github, method: 'POST', path: '/a/b.git/git-receive-pack' },
      read: { ...api, method: 'GET' },
      head: { ...api, method: 'head' },
      write: { ...api, method: 'POST' },
      remove: { ...api, method: 'DELETE' },
      'read by another': { ...api, by: '/usr/bin/wget', method: 'GET' },
    };
    const answers = await opa.ask(rules, of(shipped, asked));
    expect(yes(answers, 'allow_request')).toEqual(['fetch: pack', 'fetch: refs', 'head', 'read']);
    expect(answers['push: pack']?.request_deny_reason).toBe('POST /a/b.git/git-receive-pack is allowed by no rule');
  });

  test('hands the sandbox its settings', async () => {
    const answers = await opa.ask(rules, { any: { data: shipped, input: {} } });
    expect(answers['any']).toMatchObject({
      allow_network: false,
      allow_request: false,
      deny_reason: 'missing input.network',
      process_policy: { run_as_user: 'sandbox', run_as_group: 'sandbox' },
      landlock_policy: { compatibility: 'best_effort' },
      filesystem_policy: shipped['filesystem_policy'],
    });
  });
});

describe('the rules, for other policies', () => {
  test('a deny rule beats every allow rule, also when its parameter is repeated with a harmless value', async () => {
    const endpoint = {
      host: 'api.example.com',
      port: 443,
      protocol: 'rest',
      rules: [{ allow: { method: '*', path: '**' } }],
      deny_rules: [
        { method: 'GET', path: '/admin/**' },
        { method: '*', path: '/jobs', query: { force: 'true' } },
      ],
    };
    const to = { host: 'api.example.com', by: '/bin/tool' };
    const asked: Record<string, Asked> = {
      plain: { ...to, method: 'PUT', path: '/x' },
      'harmless parameter': { ...to, method: 'POST', path: '/jobs', query: { force: ['false'] } },
      admin: { ...to, method: 'GET', path: '/admin/a/b' },
      'admin by HEAD': { ...to, method: 'HEAD', path: '/admin/a/b' },
      forced: { ...to, method: 'POST', path: '/jobs', query: { force: ['true'] } },
      'forced between others': { ...to, method: 'POST', path: '/jobs', query: { force: ['false', 'true'] } },
    };
    const answers = await opa.ask(rules, of(policy(endpoint, '/bin/tool'), asked));
    expect(yes(answers, 'allow_request')).toEqual(['harmless parameter', 'plain']);
    expect(answers['forced']).toMatchObject({ deny_request: true, request_deny_reason: 'a deny rule matches' });
  });

  test('nothing is allowed where there is no policy, no program or no input', async () => {
    const to = inputOf({ host: 'api.example.com', by: '/bin/tool', method: 'GET', path: '/' });
    const open = policy({ host: 'api.example.com', port: 443, protocol: 'rest', access: 'full' }, '/bin/tool');
    const answers = await opa.ask(rules, {
      'no policy': { data: {}, input: to },
      'no binaries': { data: policy({ host: 'api.example.com', port: 443, access: 'full' }), input: to },
      'no exec': { data: open, input: { network: { host: 'api.example.com', port: 443 } } },
      'no input': { data: open, input: {} },
      complete: { data: open, input: to },
    });
    expect(yes(answers, 'allow_network')).toEqual(['complete']);
    expect(yes(answers, 'allow_request')).toEqual(['complete']);
    expect(answers['no policy']?.deny_reason).toBe('network connections not allowed by policy');
    expect(answers['no exec']?.deny_reason).toBe('missing input.exec');
  });

  test('access stands for methods, ports for each of them, and only an exact host may be a private address', async () => {
    const endpoint = {
      host: '*.example.com',
      ports: [443, 8443],
      protocol: 'rest',
      access: 'read-write',
      allowed_ips: ['10.0.0.0/8'],
    };
    const to = { host: 'a.example.com', by: '/bin/tool', path: '/' };
    const asked: Record<string, Asked> = {
      put: { ...to, port: 8443, method: 'PUT' },
      delete: { ...to, method: 'DELETE' },
      'another port': { ...to, port: 80, method: 'GET' },
    };
    const answers = await opa.ask(rules, of(policy(endpoint, '/bin/*'), asked));
    expect(yes(answers, 'allow_request')).toEqual(['put']);
    expect(answers['put']).toMatchObject({ exact_declared_endpoint_host: false, matched_endpoint_config: endpoint });
    const exact = await opa.ask(rules, of(policy({ ...endpoint, host: 'a.example.com' }, '/bin/*'), asked));
    expect(exact['put']?.exact_declared_endpoint_host).toBe(true);
  });

  test('a rule that is wrong is refused, so that these answers are of the file that is shipped', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'rego-'));
    try {
      const broken = join(directory, 'policy.rego');
      const text = await readFile(rules, 'utf8');
      await writeFile(broken, text.replace('not deny_request\n', ''));
      const endpoint = {
        host: 'h',
        port: 1,
        rules: [{ allow: { method: '*', path: '**' } }],
        deny_rules: [{ method: '*', path: '**' }],
      };
      const asked = of(policy(endpoint, '/bin/tool'), {
        it: { host: 'h', port: 1, by: '/bin/tool', method: 'GET', path: '/' },
      });
      expect((await opa.ask(rules, asked))['it']?.allow_request).toBe(false);
      expect((await opa.ask(broken, asked))['it']?.allow_request).toBe(true);
      await writeFile(broken, text.replace('default allow_network := false', 'default allow_network = ='));
      await expect(opa.ask(broken, asked)).rejects.toThrow(/rego_parse_error/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
