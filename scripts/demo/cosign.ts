import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { labPaths } from '../../test/lab/paths.ts';
import { parseImageRef } from '../../src/core/index.ts';
import type { Evidence } from '../../src/evidence/index.ts';
import { consumerCommands, type ConsumerImage, type ConsumerTrust } from '../../src/flows/trust/index.ts';
import type { Kit } from './kit.ts';
import { here, run, tell } from './run.ts';

/** A cosign that `make interop` fetched; undefined where it did not run. */
function cosign(name: 'cosign' | 'cosign2'): string | undefined {
  const tools = join(labPaths().cache, 'tools');
  const names = existsSync(tools) ? readdirSync(tools).filter((one) => one.startsWith(`${name}-`)) : [];
  const newest = names.sort().at(-1);
  const path = newest === undefined ? undefined : join(tools, newest, 'cosign');
  return path !== undefined && existsSync(path) ? path : undefined;
}

const leftOut = (version: string): void => {
  tell(`\n# cosign ${version} is not installed: its checks are left out (make interop fetches it)\n`);
};

/** Every node's signature, then one attestation of each kind: the others have the same form. */
function chosen(image: ConsumerImage, trust: ConsumerTrust, extra: readonly string[]): readonly string[][] {
  const all = consumerCommands(image, trust, extra).map(([, ...args]) => args);
  const first = (type: string) => all.filter((args) => args.includes(type)).slice(0, 1);
  return [...all.filter(([verb]) => verb === 'verify'), ...first('slsaprovenance1'), ...first('cyclonedx')];
}

/** byCosign proves the same with both generations of cosign, or says that they are not there. */
export async function byCosign(kit: Kit, evidence: Evidence, reference: string): Promise<void> {
  const { registry, repository, digest = evidence.digest } = parseImageRef(reference);
  const images = evidence.platforms.map(({ manifest }) => manifest);
  const image = { repo: { registry, repository }, index: digest, images };
  const trust = { $case: 'identity', identity: kit.identity, issuer: kit.issuer } as const;
  const three = cosign('cosign');
  if (three === undefined) leftOut('3.1.1');
  else {
    const about = 'The same by the real cosign 3, which looks at one node at a time';
    for (const args of chosen(image, trust, ['--trusted-root', here(kit.trustedRoot)]))
      await run(about, { program: three, args, silent: true });
  }
  const two = cosign('cosign2');
  if (two === undefined) leftOut('2.5.0');
  else {
    const env = {
      SIGSTORE_ROOT_FILE: here(kit.ca),
      SIGSTORE_REKOR_PUBLIC_KEY: here(kit.rekor),
      SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: here(kit.ct),
    };
    const about = 'And by cosign 2.5, from the tags that --legacy wrote';
    for (const args of chosen(image, trust, [])) await run(about, { program: two, args, silent: true, env });
  }
}
