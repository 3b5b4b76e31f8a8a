import { generateKeyPairSync, sign } from 'node:crypto';
import { dsse } from '@sigstore/core';
import { digestOf } from '../../src/core/index.ts';
import {
  createVerifier,
  imageSignature,
  keySigner,
  keyTrust,
  makeStatement,
  policySchema,
  signStatement,
  type BundleVerifier,
  type Statement,
} from '../../src/sigstore/index.ts';
import { expect } from 'vitest';
import { fakeHost } from '../support/fake-host.ts';
import type { BundleJson } from './attach-raw.ts';
import { provenance, sbomFor, workflow } from './stage.ts';

export const subject = digestOf('an image');
export const other = digestOf('another image');

const newPem = (): { readonly secret: string; readonly open: string } => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    secret: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    open: publicKey.export({ type: 'spki', format: 'pem' }) as string,
  };
};
export const [ours, theirs] = [newPem(), newPem()];

/** verifier is one for our key, without a log: what is left to go wrong is what was signed. */
export async function verifier(changes: Readonly<Record<string, unknown>> = {}): Promise<BundleVerifier> {
  return await createVerifier(
    await keyTrust(ours.open),
    policySchema.parse({ version: 1, signer: { key: 'k.pub' }, builders: [workflow], ...changes }),
  );
}

export const signed = (statement: Statement, key = ours): Promise<Buffer> =>
  signStatement(fakeHost(), keySigner(key.secret), statement);

/** An envelope around anything, signed as a statement is. */
export function envelope(payload: string, payloadType = 'application/vnd.in-toto+json'): BundleJson['dsseEnvelope'] {
  const bytes = Buffer.from(payload);
  const sig = sign('sha256', dsse.preAuthEncoding(payloadType, bytes), ours.secret).toString('base64');
  return { payloadType, payload: bytes.toString('base64'), signatures: [{ sig }] };
}

export type Changes = Readonly<Record<string, unknown>>;
export const refused = (code: string, detail = ''): Changes => ({
  $case: 'refused',
  code,
  detail: expect.stringContaining(detail) as string,
});
export const withType = (predicateType: string): Statement => ({ ...imageSignature(subject), predicateType });
export const otherSbom = makeStatement('sbom', subject, JSON.parse(sbomFor(other)) as Record<string, unknown>);
export const madeHere = makeStatement('provenance', subject, provenance());
