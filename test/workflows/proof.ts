import { generateKeyPairSync } from 'node:crypto';
import type { Digest, Plan } from '../../src/core/index.ts';
import { parseImageRef } from '../../src/core/index.ts';
import { signTree } from '../../src/flows/trust/index.ts';
import type { Host } from '../../src/host/index.ts';
import type { Registry } from '../../src/registry/index.ts';
import { createVerifier, keySigner, keyTrust, policySchema, type BundleVerifier } from '../../src/sigstore/index.ts';

export interface Proof {
  /** Demands the image signature of this key on every node. */
  readonly verifier: BundleVerifier;
  /** PEM, as cosign writes it. */
  readonly publicKey: string;
  readonly sign: (host: Host, registry: Registry, plan: Pick<Plan, 'repository'>, digest: Digest) => Promise<void>;
}

/** A key of its own: signing without any service, for tests that are about something else. */
export async function proof(): Promise<Proof> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = keySigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), {});
  const policy = policySchema.parse({ version: 1, signer: { key: 'own' }, require: ['signature'] });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const verifier = await createVerifier(await keyTrust(pem), policy);
  return {
    verifier,
    publicKey: pem,
    async sign(host, registry, { repository: name }, digest) {
      const { registry: at, repository } = parseImageRef(name);
      await signTree({ host, registry, signer, verifier }, { registry: at, repository, digest });
    },
  };
}
