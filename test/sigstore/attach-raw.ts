import { Readable } from 'node:stream';
import type { Descriptor, Digest } from '../../src/core/index.ts';
import { verifyTree, type NodeReport } from '../../src/flows/trust/index.ts';
import type { BlobSource } from '../../src/registry/index.ts';
import {
  bundleManifest,
  emptyConfig,
  emptyDescriptor,
  imageSignature,
  signStatement,
  type BundleVerifier,
  type Signer,
} from '../../src/sigstore/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { verifierFor, type Stage } from './stage.ts';

export const blobOf = (bytes: Uint8Array): BlobSource => ({
  open: (_blob, start = 0) => Readable.from([Buffer.from(bytes).subarray(start)], { objectMode: false }),
  manifest: async () => Promise.reject(new Error('none')),
});

/** attachRaw puts any bytes to a subject as a bundle, as whoever may write to the registry can. */
export async function attachRaw(here: Stage, subject: Descriptor, bundle: Buffer, predicateType = ''): Promise<Digest> {
  const { bytes, layer } = bundleManifest(subject, bundle, predicateType, '2026-01-01T00:00:00Z');
  await here.registry.upload(here.repo, blobOf(emptyConfig), emptyDescriptor);
  await here.registry.upload(here.repo, blobOf(bundle), layer);
  return (await here.registry.attach(here.repo, bytes)).descriptor.digest;
}

/** The parts of a bundle's JSON that attacks change. */
export interface BundleJson {
  mediaType: string;
  verificationMaterial: {
    certificate?: { rawBytes: string };
    publicKey?: { hint: string };
    tlogEntries: { logIndex: string; integratedTime: string; canonicalizedBody: string; [name: string]: unknown }[];
    timestampVerificationData: { rfc3161Timestamps: { signedTimestamp: string }[] };
  };
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
}

/** signedJson is a genuine signature of a node, to be tampered with. */
export async function signedJson(signer: Signer, digest: Digest): Promise<BundleJson> {
  return JSON.parse((await signStatement(fakeHost(), signer, imageSignature(digest))).toString()) as BundleJson;
}

export const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** The report of the root when only a signature on it is asked for. */
export async function rootReport(here: Stage, verifier?: BundleVerifier): Promise<NodeReport & { ok: boolean }> {
  const given = verifier ?? (await verifierFor(here.kit, { require: ['signature'], nodes: 'root' }));
  const report = await verifyTree(here.registry, here.ref, given);
  const [root] = report.nodes;
  if (root === undefined) throw new Error('no root');
  return { ...root, ok: report.ok };
}

export const codes = (report: NodeReport): string[] => report.refused.map(({ code }) => code);
