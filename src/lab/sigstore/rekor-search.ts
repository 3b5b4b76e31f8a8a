import { createHash, X509Certificate } from 'node:crypto';
import type { Answer } from './fulcio.ts';

/** What a tree's entries begin with in their UUIDs; any eight bytes. */
const treeId = '24296fb24b8ad77a';

interface Entry {
  readonly body: string;
}

export interface RekorSearch {
  readonly pathIndex: string;
  readonly pathRetrieve: string;
  /** Remembers an entry, as it is held, under what its certificate names and under its hashes. */
  add(entry: Entry): void;
  /** `POST /api/v1/index/retrieve`. */
  search(body: string): Answer;
  /** `POST /api/v1/log/entries/retrieve`. */
  retrieve(body: string): Answer;
  /** How an older Rekor searches: `subject` is no member that it knows (before sigstore/rekor#2850). */
  older: boolean;
}

const json = (status: number, value: unknown): Answer => ({
  status,
  body: JSON.stringify(value),
  type: 'application/json',
});
/** As go-openapi's validation words it. */
const invalid = (message: string): Answer => json(422, { code: 602, message });

/** The names of an entry's certificate and the hashes of what was signed, in lower case, as Rekor keeps its index. */
function keysOf(body: string): string[] {
  const { spec } = JSON.parse(body) as {
    spec: {
      signatures?: { verifier: string }[];
      payloadHash?: { value: string };
      envelopeHash?: { value: string };
      signature?: { publicKey: { content: string } };
      data?: { hash: { value: string } };
    };
  };
  const hashes = [spec.payloadHash, spec.envelopeHash, spec.data?.hash].flatMap((hash) =>
    hash === undefined ? [] : [hash.value, `sha256:${hash.value}`],
  );
  const pem = Buffer.from(spec.signatures?.[0]?.verifier ?? spec.signature?.publicKey.content ?? '', 'base64');
  const named = pem.includes('BEGIN CERTIFICATE') ? (new X509Certificate(pem).subjectAltName ?? '') : '';
  return [...hashes, ...named.split(', ').map((name) => name.replace(/^(?:URI|email):/, ''))].map((key) =>
    key.toLowerCase(),
  );
}

/** rekorSearch is the part of Rekor v1 that finds entries (sigstore/rekor, openapi.yaml, pkg/api/index.go). */
export function rekorSearch(): RekorSearch {
  const index = new Map<string, string[]>();
  const held = new Map<string, Entry>();
  const search: RekorSearch = {
    pathIndex: '/api/v1/index/retrieve',
    pathRetrieve: '/api/v1/log/entries/retrieve',
    older: false,
    add(entry) {
      const body = Buffer.from(entry.body, 'base64');
      const leaf = createHash('sha256').update(Buffer.of(0)).update(body).digest('hex');
      held.set(`${treeId}${leaf}`, entry);
      // The newest first, as LPUSH and LRANGE answer.
      for (const key of keysOf(body.toString())) index.set(key, [`${treeId}${leaf}`, ...(index.get(key) ?? [])]);
    },
    search(body) {
      const { email, hash, subject } = JSON.parse(body) as { email?: string; hash?: string; subject?: string };
      if (email !== undefined && !/^[^@/\s]+@[^@/\s]+$/.test(email))
        return invalid('query.email in body must be of type email: ' + JSON.stringify(email));
      if (!search.older && subject !== undefined && (subject === '' || subject.length > 2048))
        return invalid('query.subject in body should be at most 2048 chars long');
      const asked = [email, hash, search.older ? undefined : subject].filter((key) => key !== undefined);
      return json(
        200,
        asked.flatMap((key) => index.get(key.toLowerCase()) ?? []),
      );
    },
    retrieve(body) {
      const { entryUUIDs = [] } = JSON.parse(body) as { entryUUIDs?: string[] };
      if (entryUUIDs.length > 10) return invalid('entry.entryUUIDs in body should have at most 10 items');
      const found = entryUUIDs.flatMap((id) => {
        const entry = held.get(id);
        return entry === undefined ? [] : [{ [id]: entry }];
      });
      return json(200, found);
    },
  };
  return search;
}
