import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseImageRef } from '../../src/core/index.ts';
import type { Evidence } from '../../src/evidence/index.ts';
import { consumerCommands } from '../../src/flows/trust/index.ts';
import { labPaths } from '../../src/lab/paths.ts';
import type { Sigstore } from '../../src/lab/sigstore/start.ts';
import { here, print, step } from './step.ts';

/** Returns the path of a cosign that `make interop` fetched; undefined where it did not run. */
function cosign(name: 'cosign' | 'cosign2'): string | undefined {
  const tools = join(labPaths().cache, 'tools');
  const names = existsSync(tools) ? readdirSync(tools).filter((one) => one.startsWith(`${name}-`)) : [];
  const path = join(tools, names.sort().at(-1) ?? name, 'cosign');
  return existsSync(path) ? path : undefined;
}

/** byCosign verifies the same with both generations of cosign, or says that they are not there. */
export async function byCosign(sigstore: Sigstore, evidence: Evidence, reference: string): Promise<void> {
  const { registry, repository, digest: index = evidence.digest } = parseImageRef(reference);
  const image = { repo: { registry, repository }, index, images: evidence.platforms.map(({ manifest }) => manifest) };
  const { identity, issuer, caller } = sigstore;
  const trust = { $case: 'identity', identity, issuer, ...caller } as const;
  /** Every node's signature, then one attestation of each kind: the others have the same form. */
  const chosen = (extra: readonly string[]): readonly string[][] => {
    const all = consumerCommands(image, trust, extra).map(([, ...args]) => args);
    const first = (type: string) => all.filter((args) => args.includes(type)).slice(0, 1);
    return [...all.filter(([verb]) => verb === 'verify'), ...first('slsaprovenance1'), ...first('cyclonedx')];
  };
  const prove = async (name: 'cosign' | 'cosign2', about: string, extra: readonly string[], env = {}) => {
    const path = cosign(name);
    if (path === undefined) print(`${name} is not here: make interop fetches it, and the next demo verifies with it\n`);
    else
      await step(
        name === 'cosign' ? 'cosign 3' : 'cosign 2',
        about,
        ...chosen(extra).map((args) => ({ words: [path, ...args], env })),
      );
  };
  const root = ['--trusted-root', here(sigstore.trustedRoot)];
  await prove('cosign', 'the same by cosign 3: three signatures, provenance, SBOM', root);
  await prove('cosign2', 'and by cosign 2, from the tags that --legacy wrote', [], {
    SIGSTORE_ROOT_FILE: here(sigstore.ca),
    SIGSTORE_REKOR_PUBLIC_KEY: here(sigstore.rekor),
    SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: here(sigstore.ct),
  });
}
