import { createHash } from 'node:crypto';
import { initializeTLog } from '@sigstore/mock';
import { setClock, type Answer } from './fulcio.ts';
import { newKeyPair, type KeyPair } from './keys.ts';
import { rekorSearch, type RekorSearch } from './rekor-search.ts';

export interface Rekor {
  readonly keys: KeyPair;
  readonly path: string;
  /** Entries that were written, newest last: uuid and the answer's text. */
  readonly entries: { readonly uuid: string; readonly text: string }[];
  /** Finds entries of version 1; Rekor 2 has no index. */
  readonly search: RekorSearch;
  write(body: string): Promise<Answer>;
  read(uuid: string): Answer;
  readonly pathV2: string;
  writeV2(body: string): Promise<Answer>;
}

interface Proposed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: { readonly proposedContent?: { readonly envelope: string; readonly verifiers: readonly string[] } };
}
interface Envelope {
  readonly payload: string;
  readonly signatures: readonly { readonly sig: string }[];
}

const sha256 = (bytes: string | Buffer) => ({
  algorithm: 'sha256',
  value: createHash('sha256').update(bytes).digest('hex'),
});

/** storedEntry is what Rekor keeps of a proposal: for dsse the hashes, signatures and keys, not the envelope. */
function storedEntry(proposed: Proposed): object {
  const content = proposed.spec.proposedContent;
  if (proposed.kind !== 'dsse' || content === undefined) return proposed;
  const envelope = JSON.parse(content.envelope) as Envelope;
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: sha256(content.envelope),
      payloadHash: sha256(Buffer.from(envelope.payload, 'base64')),
      signatures: envelope.signatures.map(({ sig }, at) => ({ signature: sig, verifier: content.verifiers[at] })),
    },
  };
}

interface ProposedV2 {
  readonly dsseRequestV002: {
    readonly envelope: Envelope & { readonly payloadType: string };
    readonly verifiers: readonly object[];
  };
}

/** storedEntryV2 is what Rekor 2 keeps (sigstore/rekor-tiles, entry.proto and dsse.proto). */
function storedEntryV2({ dsseRequestV002: { envelope, verifiers } }: ProposedV2): object {
  const digest = createHash('sha256').update(Buffer.from(envelope.payload, 'base64')).digest('base64');
  const signatures = envelope.signatures.map(({ sig }, at) => ({ content: sig, verifier: verifiers[at] }));
  const dsseV002 = { payloadHash: { algorithm: 'SHA2_256', digest }, signatures };
  return { apiVersion: '0.0.2', kind: 'dsse', spec: { dsseV002 } };
}

interface Logged {
  readonly body: string;
  readonly logID: string;
  readonly logIndex: number;
  readonly verification: {
    readonly inclusionProof: { readonly rootHash: string; readonly treeSize: number; readonly checkpoint: string };
  };
}

/** entryV2 is a v1 answer as Rekor 2 gives it: no promise and no time, which is the timestamp authority's to say. */
function entryV2({ body, logID, logIndex, verification: { inclusionProof: proof } }: Logged): object {
  return {
    logIndex: String(logIndex),
    logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
    kindVersion: { kind: 'dsse', version: '0.0.2' },
    integratedTime: '0',
    inclusionProof: {
      logIndex: '0',
      treeSize: String(proof.treeSize),
      rootHash: Buffer.from(proof.rootHash, 'hex').toString('base64'),
      hashes: [],
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: body,
  };
}

/**
 * startRekor corrects @sigstore/mock 0.13.0: a real dsse entry (the stock one echoes the request),
 * never the log index 0, an ETag with the uuid (cosign 3 panics without), 409 for what is there.
 */
export async function startRekor(url: () => string, now: () => Date): Promise<Rekor> {
  const keys = newKeyPair();
  const known = new Map<string, string>();
  const entries: { uuid: string; text: string }[] = [];
  const path = '/api/v1/log/entries';
  const search = rekorSearch();
  return {
    keys,
    path,
    entries,
    search,
    async write(body) {
      const stored = storedEntry(JSON.parse(body) as Proposed);
      const key = JSON.stringify(stored);
      const there = known.get(key);
      if (there !== undefined)
        return {
          status: 409,
          body: JSON.stringify({ code: 409, message: 'an equivalent entry already exists in the transparency log' }),
          type: 'application/json',
          headers: { location: `${path}/${there}` },
        };
      const log = await initializeTLog(url(), keys);
      setClock(log, () => now().getTime());
      // The package's own types name a package that is not installed.
      const attempt = async () => (await log.log(stored)) as unknown as Record<string, Logged>;
      let written = await attempt();
      while (Object.values(written)[0]?.logIndex === 0) written = await attempt();
      const [[uuid, logged] = ['', undefined]] = Object.entries(written);
      if (logged !== undefined) search.add(logged);
      known.set(key, uuid);
      const text = JSON.stringify(written);
      entries.push({ uuid, text });
      const headers = { etag: uuid, location: `${path}/${uuid}` };
      return { status: 201, body: text, type: 'application/json', headers };
    },
    pathV2: '/api/v2/log/entries',
    async writeV2(body) {
      const log = await initializeTLog(url(), keys);
      const written = (await log.log(storedEntryV2(JSON.parse(body) as ProposedV2))) as unknown as Record<
        string,
        Logged
      >;
      const [logged] = Object.values(written);
      if (logged === undefined) throw new Error('the mock logged nothing');
      return { status: 201, body: JSON.stringify(entryV2(logged)), type: 'application/json' };
    },
    read(uuid) {
      const found = entries.find((entry) => entry.uuid === uuid);
      if (found === undefined) return { status: 404, body: '{"code":404,"message":"not found"}' };
      return { status: 200, body: found.text, type: 'application/json', headers: { etag: uuid } };
    },
  };
}
