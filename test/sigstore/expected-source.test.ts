import { describe, expect, test } from 'vitest';
import { attestTree, makeVerifier, signTree, verifyTree } from '../../src/flows/trust/index.ts';
import { makeProvenance, type Provenance } from '../../src/sigstore/index.ts';
import { withSource } from '../../scripts/source-options.ts';
import type { Call } from '../../scripts/command.ts';
import { testPlan } from '../support/sigstore/plan.ts';
import { provenance, sbomFor, stage, useKit, verifierFor, workflow } from './stage.ts';

const kit = useKit();
const commit = '3'.repeat(40);
const repository = 'https://github.com/o/r';
const built = (): Provenance =>
  makeProvenance({
    plan: testPlan,
    toolVersion: '0.1.0',
    site: { builder: workflow, source: { uri: `git+${repository}@refs/heads/main`, commit } },
  });

async function verify(made: () => Provenance, source: Readonly<Record<string, string>>) {
  const here = await stage(kit());
  await signTree(here.signing, here.ref);
  const images = [here.image.amd64, here.image.arm64];
  const sboms = new Map(images.map(({ digest }) => [digest, sbomFor(digest)]));
  await attestTree(here.signing, here.ref, { provenance: made, sboms, inputDigest: testPlan.inputDigest });
  const report = await verifyTree(here.registry, here.ref, await verifierFor(kit(), { source }));
  return [report.ok, [...new Set(report.nodes.flatMap(({ refused }) => refused.map(({ code }) => code)))]];
}

/** Provenance whose dependencies are changed. */
function changed(change: (dependencies: NonNullable<Provenance['buildDefinition']['resolvedDependencies']>) => void) {
  return () => {
    const made = structuredClone(built());
    change(made.buildDefinition.resolvedDependencies ?? []);
    return made;
  };
}

describe('the source that the provenance states', () => {
  test.each([
    ['repository and commit', { repository, commit }],
    ['the repository alone, with its suffix', { repository: `${repository}.git` }],
    ['the commit alone', { commit }],
  ])('is the expected one: %s', async (_name, source) => {
    expect(await verify(built, source)).toEqual([true, []]);
  });

  test.each([
    ['another commit', built, { commit: '4'.repeat(40) }],
    ['another repository', built, { repository: 'https://github.com/o/other' }],
    ['a longer name with the same beginning', built, { repository: 'https://github.com/o/r2' }],
    ['a shorter one', built, { repository: 'https://github.com/o' }],
    ['no source', provenance, { commit }],
    ['a source without an address', changed(([first]) => delete first?.uri), { repository }],
    [
      'a pinned input in its place',
      changed((all) =>
        all.splice(0, 1, { name: 'pin', uri: `git+${repository}@${commit}`, digest: { gitCommit: commit } }),
      ),
      { repository, commit },
    ],
    [
      'a second source behind the first',
      changed((all) =>
        all.unshift({ uri: 'git+https://github.com/thief/r@refs/heads/main', digest: { gitCommit: '9'.repeat(40) } }),
      ),
      { repository, commit },
    ],
  ])('is refused: %s', async (_name, made, source) => {
    expect(await verify(made, source)).toEqual([false, ['other-source']]);
  });

  test('is not expected of a policy that asks for no provenance', async () => {
    const here = await stage(kit());
    const { policy } = await verifierFor(kit(), { require: ['signature'], source: { commit } });
    await expect(makeVerifier(here.host, policy, {})).rejects.toMatchObject({ code: 'trust/policy', exit: 2 });
  });
});

describe('--source-repository and --source-commit', () => {
  const call = (options: object): Call => ({ options }) as unknown as Call;
  test('add to a policy, contradict none, and are whole', async () => {
    const { policy } = await verifierFor(kit(), { source: { repository } });
    expect(withSource(call({ sourceCommit: commit }), policy).source).toEqual({ repository, commit });
    expect(withSource(call({}), policy)).toBe(policy);
    for (const options of [{ sourceRepository: 'https://github.com/o/x' }, { sourceCommit: 'abc' }])
      expect(() => withSource(call(options), policy)).toThrow(expect.objectContaining({ code: 'cli/policy', exit: 2 }));
  });
});
