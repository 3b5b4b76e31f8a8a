import { existsSync, readFileSync } from 'node:fs';
import { parseImageRef } from '../../src/core/index.ts';
import { layoutDirectory } from '../../src/flows/build/index.ts';
import { evidenceFile, type Evidence } from '../../src/evidence/index.ts';
import { byCosign } from './cosign.ts';
import { startKit } from './kit.ts';
import { here, root, runnerImage, stop, tell } from './run.ts';

/** The newest place where the variant was published, as its evidence tells. */
function published(variant: string): { readonly evidence: Evidence; readonly reference: string } {
  const file = evidenceFile(layoutDirectory(root, variant));
  if (!existsSync(file)) {
    tell(`\nThe demo stopped: ${here(file)} is not there; publish ${variant} first.\n`);
    return stop(2);
  }
  const evidence = JSON.parse(readFileSync(file, 'utf8')) as Evidence;
  const newest = [...evidence.publications].sort((a, b) => b.at.localeCompare(a.at))[0];
  if (newest !== undefined) return { evidence, reference: newest.reference };
  tell(`\nThe demo stopped: ${here(file)} tells of no publication.\n`);
  return stop(2);
}

/** proveAndPromote signs what was published, has it proven by us and by cosign, and promotes it. */
export async function proveAndPromote(variant: string): Promise<void> {
  const { evidence, reference } = published(variant);
  const { registry, repository } = parseImageRef(reference);
  const kit = await startKit();
  const trustedRoot = here(kit.trustedRoot);
  const services = ['--fulcio', kit.url, '--rekor', kit.url, '--tsa', kit.url, '--trusted-root', trustedRoot];
  const who = ['--trusted-root', trustedRoot, '--identity', kit.identity];
  const env = kit.environment;
  await runnerImage(
    'Sign the index and every image, as a CI job with id-token: write would; refused unless the gate let it through',
    ['sign', reference, ...services, '--legacy'],
    { env },
  );
  await runnerImage(
    'Attest provenance on every node and an SBOM on every image',
    ['attest', reference, '--variant', variant, '--lab', ...services, '--legacy'],
    { env },
  );
  await runnerImage('Signing again adds nothing', ['sign', reference, ...services, '--legacy'], { env });
  await runnerImage('Prove it: every node, by digest', ['verify', reference, ...who]);
  await runnerImage(
    'Somebody else did not sign it',
    ['verify', reference, '--trusted-root', trustedRoot, '--identity', `${kit.identity}-fork`],
    { expected: 1 },
  );
  await byCosign(kit, evidence, reference);
  const released = `${registry}/released/${repository.split('/').at(-1) ?? variant}:stable`;
  await runnerImage('Verify, copy with all proofs, verify there, then move the tag', [
    'promote',
    reference,
    released,
    ...who,
  ]);
  await runnerImage('The promoted tag is proven like the source', ['verify', released, ...who]);
  tell('\n# Nobody but the registry is asked when a trusted root is at hand:\n');
  tell(`$ runner-image verify ${released} ${who.join(' ')}\n`);
}
