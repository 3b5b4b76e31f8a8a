import { beforeEach, describe, expect, it } from 'vitest';
import { watchIdentity, type IdentityWatched } from '../../src/flows/ci/index.ts';
import { imageSignature, policySchema, signStatement } from '../../src/sigstore/index.ts';
import { githubIssuer } from '../../src/lab/sigstore/identity.ts';
import { attachRaw } from '../sigstore/attach-raw.ts';
import { signerFor, stage, useKit, type Stage } from '../sigstore/stage.ts';

const kit = useKit();
const claims = { repository: 'https://github.com/o/r', ref: 'refs/heads/main', trigger: 'push' };
let here: Stage;
let at = 0;

beforeEach(async () => {
  at += 1;
  // The log keeps what other tests signed: each has an identity of its own.
  here = await stage(kit());
  here.kit.rekor.search.older = false;
});

const ref = (): string => `o/r/.github/workflows/sign-${at}.yml@refs/heads/main`;
const name = (): string => `https://github.com/${ref()}`;

/** Signs the index in the name of our workflow, for whoever called it. */
async function sign(changes: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  const signer = signerFor(kit(), here.host, { job_workflow_ref: ref(), ...changes });
  return await signStatement(here.host, signer, imageSignature(here.image.root.digest));
}
async function publish(bundle: Buffer): Promise<void> {
  await here.registry.put(
    here.repo,
    (await here.registry.manifest(here.ref)).bytes,
    here.image.root.mediaType,
    'stable',
  );
  await attachRaw(here, here.image.root, bundle);
}

async function watch(options: { since?: Date; rekor?: string } = {}): Promise<IdentityWatched> {
  const signer = { issuer: githubIssuer, identities: [name()], ...claims };
  const policy = policySchema.parse({ version: 1, signer });
  return await watchIdentity(here.host, {
    registry: here.registry,
    policy,
    repositories: [here.repo],
    rekor: options.rekor ?? kit().url,
    since: options.since,
  });
}
const rules = ({ concerns, unknown }: IdentityWatched) => [
  concerns.map(({ rule }) => rule),
  unknown.map(({ rule }) => rule),
];

describe('what the log holds under our identity', () => {
  it('is nothing to report where all of it is published', async () => {
    await publish(await sign());
    expect(await watch()).toEqual({ concerns: [], unknown: [], found: 1, published: 1 });
  });

  it('is reported where nothing in our repositories holds it, with its run and time', async () => {
    await publish(await sign());
    await sign({ run_id: '78' });
    const seen = await watch();
    expect(rules(seen)).toEqual([['watch/unpublished'], []]);
    expect(seen).toMatchObject({ found: 2, published: 1 });
    expect(seen.concerns[0]?.message).toMatch(/log index \d+, 20\d\d-.*run .*runs\/78/);
    expect(rules(await watch({ since: new Date(Date.now() + 3_600_000) }))).toEqual([[], []]);
  });

  it('is reported where another repository called our workflow, in the log or attached to our own image', async () => {
    await publish(await sign());
    const stolen = await sign({ repository: 'thief/r', repository_owner: 'thief' });
    expect(rules(await watch())).toEqual([['watch/foreign-caller'], []]);
    await publish(stolen);
    const seen = await watch();
    expect(rules(seen)).toEqual([['watch/foreign-caller'], []]);
    expect(seen.concerns[0]?.message).toMatch(/thief.*attached to an image of ours/);
  });

  it('is not published by a bundle that is attached to another image than it is about', async () => {
    await publish(await sign());
    await attachRaw(here, here.image.amd64, await sign({ run_id: '79' }));
    expect(rules(await watch())).toEqual([['watch/unpublished'], []]);
  });

  it('is told apart from what others signed and from a name in other letters', async () => {
    await publish(await sign());
    await sign({ job_workflow_ref: ref().replace('o/r', 'O/R') });
    await sign({ job_workflow_ref: ref().replace('sign-', 'other-') });
    expect(await watch()).toMatchObject({ concerns: [], unknown: [], found: 2 });
  });

  it('survives rubbish in our own repository', async () => {
    await publish(await sign());
    for (const text of ['', '{}', 'null', '{"verificationMaterial":{"tlogEntries":[{"canonicalizedBody":"AA=="}]}}'])
      await attachRaw(here, here.image.root, Buffer.from(`${text} `));
    expect(rules(await watch())).toEqual([[], []]);
  });
});

describe('what could not be told', () => {
  it('is a Rekor that does not search by subject: its empty answer is no good news', async () => {
    await publish(await sign());
    await sign({ run_id: '80' });
    here.kit.rekor.search.older = true;
    const seen = await watch();
    expect(rules(seen)).toEqual([[], ['watch/could-not-tell']]);
    expect(seen.unknown[0]?.message).toMatch(/names nothing that we published/);
  });

  it('is a log that is down, refuses, answers another form, or never ends', async () => {
    await publish(await sign());
    await sign({ run_id: '81' });
    const answers = [
      () => ({ status: 503, body: 'down' }),
      () => ({ status: 200, body: '{"not": "a list"}' }),
      () => ({ status: 200, body: '["../../etc/passwd"]' }),
      () => 'cut' as const,
      () => 'endless' as const,
    ];
    for (const answer of answers) {
      kit().fail('rekor', answer, 1);
      expect(rules(await watch())).toEqual([[], ['watch/could-not-tell']]);
    }
    expect(rules(await watch({ rekor: 'http://127.0.0.1:1' }))).toEqual([[], ['watch/could-not-tell']]);
    expect(rules(await watch())).toEqual([['watch/unpublished'], []]);
  });

  it('is a log that answers another entry than its index names, or leaves one out', async () => {
    await publish(await sign());
    await sign({ run_id: '82' });
    const { search } = kit().rekor;
    const retrieve = search.retrieve.bind(search);
    for (const change of [() => '[]', (body: string) => body.replace(/"body":"..../, '"body":"AAAA')]) {
      search.retrieve = (body) => ({ ...retrieve(body), body: change(String(retrieve(body).body)) });
      expect(rules(await watch())).toEqual([[], ['watch/could-not-tell']]);
    }
    search.retrieve = retrieve;
  });

  it('is our own registry, when it does not answer', async () => {
    await publish(await sign());
    here.misbehave((_request, response) => {
      response.writeHead(403).end();
      return true;
    });
    expect(rules(await watch())).toEqual([[], ['watch/could-not-tell']]);
  });

  it('is a policy of keys, which is wrong use', async () => {
    const policy = policySchema.parse({ version: 1, signer: { key: 'a.pub' } });
    const given = { registry: here.registry, policy, repositories: [here.repo], rekor: kit().url };
    await expect(watchIdentity(here.host, given)).rejects.toMatchObject({ exit: 2 });
  });
});
