import { expect, test } from 'vitest';
import { keylessSigner, makeStatement, signStatement } from '../../src/sigstore/index.ts';
import { attachRaw, codes, rootReport } from './attach-raw.ts';
import { servicesOf, stage, useKit, verifierFor, workflow, type Stage } from './stage.ts';

const kit = useKit();
const buildType = 'https://actions.github.io/buildtypes/workflow/v1';
const commit = '1'.repeat(40);

/** What actions/attest-build-provenance states, member for member. */
const predicate = (builder = workflow) => ({
  buildDefinition: {
    buildType,
    externalParameters: {
      workflow: { ref: 'refs/heads/main', repository: 'https://github.com/o/r', path: '.github/workflows/build.yml' },
    },
    internalParameters: {
      github: {
        event_name: 'push',
        repository_id: '1',
        repository_owner_id: '2',
        runner_environment: 'github-hosted',
      },
    },
    resolvedDependencies: [{ uri: 'git+https://github.com/o/r@refs/heads/main', digest: { gitCommit: commit } }],
  },
  runDetails: {
    builder: { id: builder },
    metadata: { invocationId: 'https://github.com/o/r/actions/runs/77/attempts/1' },
  },
});

/** Attaches as `push-to-registry: true` does: a log entry and no timestamp, the subject named as its author likes. */
async function attest(here: Stage, given: Readonly<Record<string, unknown>>, predicateType?: string): Promise<void> {
  const { tsa: _tsa, ...services } = servicesOf(kit());
  const signer = keylessSigner(here.host, services, async () => kit().token());
  const statement = makeStatement('provenance', here.image.root.digest, given, 'ghcr.io/another/name');
  const signed = predicateType === undefined ? statement : { ...statement, predicateType };
  await attachRaw(here, here.image.root, await signStatement(here.host, signer, signed), signed.predicateType);
}

const verdict = async (here: Stage, changes: Readonly<Record<string, unknown>> = {}) => {
  const policy = { require: ['provenance'], nodes: 'root', builders: [workflow], buildTypes: [buildType], ...changes };
  return await rootReport(here, await verifierFor(kit(), policy));
};

// GitHub's registry has no referrers API: the bundles lie under the fallback tag.
test.each(['none', 'api'] as const)('an artifact attestation of GitHub proves provenance (%s)', async (referrers) => {
  const here = await stage(kit(), { referrers });
  // One for each run, and the SBOM in a format that no policy asks for.
  await attest(here, predicate());
  await attest(here, { ...predicate(), runDetails: { builder: { id: workflow } } });
  await attest(here, { spdxVersion: 'SPDX-2.3' }, 'https://spdx.dev/Document/v2.3');
  const found = await verdict(here, { source: { repository: 'https://github.com/o/r', commit } });
  expect([found.ok, codes(found)]).toEqual([true, ['unknown-predicate']]);
  expect(found.proofs.map(({ attestation, identity }) => [attestation, identity])).toEqual([
    ['provenance', workflow],
    ['provenance', workflow],
  ]);
});

test.each<[string, Readonly<Record<string, unknown>>, string]>([
  [
    'another builder',
    { builders: ['https://github.com/o/r/.github/workflows/x.yml@refs/heads/main'] },
    'other-builder',
  ],
  ['another build type', { buildTypes: [`${buildType}1`] }, 'other-build-type'],
  ['another commit', { source: { commit: '2'.repeat(40) } }, 'other-source'],
  ['an RFC 3161 timestamp', { timestamps: 'tsa' }, 'no-timestamp'],
])('and is refused where the policy asks for %s', async (_name, changes, code) => {
  const here = await stage(kit());
  await attest(here, predicate());
  const found = await verdict(here, changes);
  expect([found.ok, codes(found)]).toEqual([false, [code]]);
});
