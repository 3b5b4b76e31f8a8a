import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf, type Digest } from '../../src/core/index.ts';
import { signTree } from '../../src/flows/trust/index.ts';
import type { BumpOptions } from '../../src/flows/bump/index.ts';
import { createHost } from '../../src/host/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { makeStatement, signStatement } from '../../src/sigstore/index.ts';
import { provenance, signerFor, useKit, verifierFor } from '../sigstore/stage.ts';
import { fakeHost } from '../support/fake-host.ts';
import { labelledImage, type LabelledImage } from '../support/sigstore/image.ts';
import { git } from '../support/upstream/repository.ts';
import { proof, type Proof } from '../workflows/proof.ts';
import { command } from './command.ts';
import { edit, ghRelease, stage, type Stage } from './stage.ts';

const kit = useKit();
const repository = 'astral-sh/uv';
const workflow = (version: string) => `astral-sh/uv/.github/workflows/release.yml@refs/tags/${version}`;

interface Scene {
  readonly it: Stage;
  readonly options: Partial<BumpOptions>;
  /** Publishes an image; `by` signs index and images, `except` is signed by somebody else, or by nobody. */
  readonly publish: (
    version: string,
    by?: string,
    except?: { arch: 'amd64' | 'arm64'; by?: string },
  ) => Promise<LabelledImage>;
}

async function signAs(scene: Stage, digest: Digest, ref: string): Promise<void> {
  const host = fakeHost({ now: new Date() });
  const registry = createRegistry(createHost({ quiet: true }));
  const identity = `https://github.com/${ref}`;
  // Its own repository ran it, on its own tag.
  const ran = { repository: ref.split('/.github/')[0] ?? '', ref: ref.split('@')[1] ?? '' };
  const claims = { identities: [identity], ref: ran.ref, repository: `https://github.com/${ran.repository}` };
  const verifier = await verifierFor(kit(), { nodes: 'root', require: ['signature'] }, claims);
  const signer = signerFor(kit(), host, { job_workflow_ref: ref, ...ran });
  await signTree({ host, registry, signer, verifier }, { registry: scene.registry.host, repository, digest });
}

/** A policy that demands signatures of uv, whose pinned version has them. */
async function scene(): Promise<Scene> {
  const it = await stage();
  const trust = await kit().write(join(it.root, '../trust'));
  const options = { now: true, trustedRoot: trust.trustedRoot };
  const publish: Scene['publish'] = async (version, by, except) => {
    const image = labelledImage({}, version);
    const { host } = it.registry;
    const registry = createRegistry(createHost({ quiet: true }));
    await registry.push({ registry: host, repository }, image.root, image.source);
    await registry.moveTag({ registry: host, repository, tag: version }, image.root.digest);
    if (by !== undefined && except === undefined) await signAs(it, image.root.digest, by);
    if (except !== undefined) {
      const other = except.arch === 'arm64' ? image.amd64 : image.arm64;
      if (by !== undefined) await signAs(it, other.digest, by);
      if (except.by !== undefined) await signAs(it, image[except.arch].digest, except.by);
    }
    return image;
  };
  const pinned = await publish('0.12.7', workflow('0.12.7'));
  const text = it.text('images/pins.yaml');
  const [, old = ''] = /uv:\n {4}kind: image\n.*\n.*\n {4}digest: (\S+)/.exec(text) ?? [];
  for (const file of git(it.root, ['grep', '-l', old]).split('\n')) {
    const path = join(it.root, file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(old, pinned.root.digest));
  }
  demand(
    it,
    'range: 0.x, cooldownDays: 7',
    `'https://github.com/astral-sh/uv/.github/workflows/release.yml@refs/tags/{version}'`,
  );
  return { it, options, publish };
}

const issuer = 'https://token.actions.githubusercontent.com';
/** Adds `signed` to the first pin whose policy is this one. */
function demand(it: Stage, policy: string, identity: string, more = ''): void {
  const path = join(it.root, 'images/pins.yaml');
  const before = readFileSync(path, 'utf8');
  const block = policy.replace(
    /^(.*?), (cooldownDays: 7)$/,
    `$1, $2, signed: { issuer: '${issuer}', identities: [${identity}], repository: '${/^'?(.*?)\/\.github\//.exec(identity)?.[1] ?? ''}'${more} }`,
  );
  writeFileSync(path, before.replace(policy, block));
  it.commit();
}

describe('a pin that demands signatures of an image', () => {
  it('is bumped to what its workflow signed on index and every image, and keeps who signed as evidence', async () => {
    const { it, options, publish } = await scene();
    expect((await it.verdict('uv', options)).$case).toBe('current');
    await publish('0.12.8', workflow('0.12.8'));
    const { rows } = await it.bump(['uv'], options);
    expect(rows[0]?.verdict).toMatchObject({
      $case: 'due',
      resolved: {
        evidence: [
          { kind: 'registry-digest' },
          { kind: 'signature', source: `https://github.com/${workflow('0.12.8')}` },
        ],
      },
    });
    expect(it.text('images/pins.yaml')).toContain('kind: signature');
  });

  it.each([
    [
      'a bad signature on one child',
      { arch: 'arm64', by: 'stranger/uv/.github/workflows/release.yml@refs/tags/0.12.8' },
      /linux\/arm64 sha256:\w+ lacks signature \(other-identity/,
    ],
    ['no signature on one child', { arch: 'amd64' }, /linux\/amd64 sha256:\w+ lacks signature(?! \()/],
  ] as const)('%s is refused by name', async (_what, except, found) => {
    const { it, options, publish } = await scene();
    await publish('0.12.8', workflow('0.12.8'), except);
    const verdict = await it.verdict('uv', options);
    expect(verdict).toMatchObject({ $case: 'held', held: [{ version: '0.12.8', reason: 'unsigned' }] });
    expect(verdict.$case === 'held' && verdict.held[0]?.detail).toMatch(found);
    await expect(it.bump(['uv@0.12.8'], options)).rejects.toMatchObject({ code: 'bump/refused' });
    const { trustedRoot = '' } = options;
    const { code, stderr } = await command(it, ['bump', 'uv@0.12.8', '--now', '--trusted-root', trustedRoot]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('bump/refused')]);
    expect(stderr).toMatch(found);
    expect(it.status()).toBe('');
  });

  it('takes the signature of another version for none', async () => {
    const { it, options, publish } = await scene();
    await publish('0.12.8', workflow('0.12.7'));
    expect(await it.verdict('uv', options)).toMatchObject({ $case: 'held', held: [{ reason: 'unsigned' }] });
  });

  it('may not lose the signature that it had, even when nobody demands it any more', async () => {
    const { it, options, publish } = await scene();
    await publish('0.12.8', workflow('0.12.8'));
    await it.bump(['uv'], options);
    const path = join(it.root, 'images/pins.yaml');
    writeFileSync(
      path,
      readFileSync(path, 'utf8')
        .replace(/, signed: \{.*?\}(?= \}| \n)/, '')
        .replace(/, signed: \{[^\n]*\} \}/, ' }'),
    );
    it.commit();
    expect(it.text('images/pins.yaml')).not.toContain('signed:');
    await publish('0.12.9');
    expect(await it.verdict('uv', options)).toMatchObject({
      $case: 'held',
      held: [{ reason: 'evidence-lost', detail: 'the pin has signature and would lose it' }],
    });
  });

  it('is gone when what is pinned lost its signature upstream', async () => {
    const { it, options } = await scene();
    const { manifests, tags } = it.registry.store.repository(repository);
    const image = labelledImage({}, '0.12.7');
    const own = new Set<string>([image.root, image.amd64, image.arm64].map(({ digest }) => digest));
    for (const digest of [...manifests.keys()]) if (!own.has(digest)) manifests.delete(digest);
    for (const tag of [...tags.keys()]) if (tag.startsWith('sha256-')) tags.delete(tag);
    expect(await it.verdict('uv', options)).toMatchObject({
      $case: 'gone',
      what: expect.stringMatching(/the signature of .*index sha256:\w+ lacks signature/) as unknown,
    });
  });
});

describe('a pin that demands a cosign key', () => {
  it('is bumped by the command to what that key signed on every node, past what another key signed', async () => {
    const it = await stage();
    const [own, stranger] = [await proof(), await proof()];
    mkdirSync(join(it.root, 'keys'));
    writeFileSync(join(it.root, 'keys/uv.pub'), own.publicKey);
    const path = join(it.root, 'images/pins.yaml');
    const demanded = 'range: 0.x, cooldownDays: 7, signed: { key: keys/uv.pub }';
    writeFileSync(path, readFileSync(path, 'utf8').replace('range: 0.x, cooldownDays: 7', demanded));
    const registry = createRegistry(createHost({ quiet: true }));
    const repo = { registry: it.registry.host, repository };
    const publish = async (version: string, { sign }: Proof): Promise<Digest> => {
      const image = labelledImage({}, version);
      await registry.push(repo, image.root, image.source);
      await registry.moveTag({ ...repo, tag: version }, image.root.digest);
      await sign(
        fakeHost({ now: new Date() }),
        registry,
        { repository: `${repo.registry}/${repository}` },
        image.root.digest,
      );
      return image.root.digest;
    };
    const pinned = await publish('0.12.7', own);
    edit(it, /(astral-sh\/uv\n {4}version: 0\.12\.7\n {4}digest: )\S+/, `$1${pinned}`);
    it.commit();
    await publish('0.12.8', own);
    await publish('0.12.9', stranger);
    const { code, stdout, stderr } = await command(it, ['bump', 'uv', '--now', '--check', '--json']);
    expect(code, stderr).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      pins: [
        {
          to: '0.12.8',
          evidence: [{ kind: 'registry-digest' }, { kind: 'signature', source: 'the key keys/uv.pub' }],
          held: [{ version: '0.12.9', reason: 'unsigned', detail: expect.stringContaining('linux/arm64') as string }],
        },
      ],
    });
  });
});

describe('a pin that demands GitHub’s attestations of a release', () => {
  const trunk = 'cli/cli/.github/workflows/deployment.yml@refs/heads/trunk';
  const attest = async (it: Stage, bytes: string, subject = bytes, by = 'cli/cli') => {
    const runDetails = { builder: { id: `https://github.com/${trunk}` } };
    const statement = makeStatement('provenance', digestOf(subject), { ...provenance(), runDetails });
    const host = fakeHost({ now: new Date() });
    const bundle = await signStatement(
      host,
      signerFor(kit(), host, { job_workflow_ref: trunk, repository: by }),
      statement,
    );
    it.github.attestations.set(digestOf(bytes), [JSON.parse(bundle.toString())]);
  };
  const both = async (it: Stage, version: string) => {
    for (const arch of ['amd64', 'arm64']) await attest(it, `gh ${version} ${arch}`);
  };
  const release = async () => {
    const it = await stage();
    const trust = await kit().write(join(it.root, '../trust'));
    await both(it, '2.74.0');
    demand(
      it,
      "range: ^2, tag: 'v{version}', cooldownDays: 7",
      `'https://github.com/${trunk}'`,
      ', require: [provenance]',
    );
    return { it, options: { trustedRoot: trust.trustedRoot } };
  };

  it('verifies the asset of every architecture from this one machine', async () => {
    const { it, options } = await release();
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    await both(it, '2.80.0');
    expect(await it.verdict('gh', options)).toMatchObject({
      $case: 'due',
      resolved: { evidence: [{}, {}, {}, { kind: 'attestation', source: `https://github.com/${trunk}` }] },
    });
  });

  it('refuses by name what is not attested, or by an attestation of something else', async () => {
    const { it, options } = await release();
    it.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    await attest(it, 'gh 2.80.0 amd64');
    const held = async () => {
      const verdict = await it.verdict('gh', options);
      return verdict.$case === 'held' ? verdict.held.map(({ detail }) => detail).join() : verdict.$case;
    };
    expect(await held()).toMatch(/linux\/arm64 gh_2\.80\.0_linux_arm64\.tar\.gz sha256:\w+ lacks provenance$/);
    await attest(it, 'gh 2.80.0 arm64', 'gh 2.80.0 amd64');
    expect(await held()).toMatch(/linux\/arm64 .* lacks provenance \(other-subject/);
    // The same workflow, called from elsewhere.
    await attest(it, 'gh 2.80.0 arm64', 'gh 2.80.0 arm64', 'evil/x');
    expect(await held()).toMatch(/lacks provenance \(other-claim: repository is https:\/\/github.com\/evil\/x/);
  });
});
