import { createHash } from 'node:crypto';
import { X509Certificate } from '@sigstore/core';
import * as z from 'zod';
import { collectBytes } from '../core/bytes.ts';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { identityOf, type Identity } from './certificate.ts';

/** Bytes of one answer, milliseconds for one, and entries in one request, as Rekor allows (openapi.yaml). */
const maxAnswer = 8 * 1024 * 1024;
const timeout = 60_000;
export const entriesAtOnce = 10;
/** Entries of one identity: 80 characters each, in one answer. */
const maxFound = 50_000;

/** A tree's id, where it is given, and the leaf's hash. */
const uuid = z.string().regex(/^(?:[0-9a-f]{16})?[0-9a-f]{64}$/);
const found = z.array(uuid).max(maxFound);
const entry = z.object({
  body: z.base64(),
  logIndex: z.number().int().nonnegative(),
  integratedTime: z.number().int().nonnegative(),
});
const entries = z.array(z.record(uuid, entry)).max(entriesAtOnce);

/** LoggedEntry is one entry of the log, and whose certificate it holds. */
export interface LoggedEntry {
  /** SHA-256 of the leaf (RFC 6962, 2.1), in hex: the same wherever the entry is held. */
  readonly leaf: string;
  readonly logIndex: number;
  readonly time: Date;
  /** Absent for a bare key, or a kind of entry that is not read. */
  readonly identity?: Identity | undefined;
}

/** leafHash returns the hash by which a Merkle tree holds an entry. */
export function leafHash(body: Uint8Array): string {
  return createHash('sha256').update(Buffer.of(0)).update(body).digest('hex');
}

/** leafOf returns the leaf's hash in an entry's UUID. */
export const leafOf = (id: string): string => id.slice(-64);

const pem = z.base64();
/** The kinds that signers of images write: dsse, hashedrekord and, before them, intoto. */
const kinds = z.union([
  z.object({
    kind: z.literal('dsse'),
    spec: z.object({ signatures: z.array(z.object({ verifier: pem })).min(1) }),
  }),
  z.object({
    kind: z.literal('hashedrekord'),
    spec: z.object({ signature: z.object({ publicKey: z.object({ content: pem }) }) }),
  }),
  z.object({ kind: z.literal('intoto'), spec: z.object({ publicKey: pem }) }),
]);

function certificateIn(body: Uint8Array): string | undefined {
  const read = kinds.safeParse(JSON.parse(Buffer.from(body).toString('utf8')));
  if (!read.success) return undefined;
  switch (read.data.kind) {
    case 'dsse':
      return read.data.spec.signatures[0]?.verifier;
    case 'hashedrekord':
      return read.data.spec.signature.publicKey.content;
    case 'intoto':
      return read.data.spec.publicKey;
  }
}

/** entryIdentity returns whose certificate an entry's body holds; undefined where it holds none that can be read. */
export function entryIdentity(body: Uint8Array): Identity | undefined {
  try {
    const text = Buffer.from(certificateIn(body) ?? '', 'base64').toString();
    return text.includes('BEGIN CERTIFICATE') ? identityOf(X509Certificate.parse(text)) : undefined;
  } catch {
    return undefined;
  }
}

async function ask<T>(host: Host, schema: z.ZodType<T>, url: string, question: object): Promise<T> {
  const { pathname } = new URL(url);
  const refused = (what: string, cause?: unknown): AppError =>
    new AppError('sigstore/rekor-search', 'upstream', `Rekor did not answer POST ${pathname}`, {
      expected: `${url} to answer with at most ${maxAnswer} bytes of JSON`,
      found: what,
      cause,
    });
  let answer: { readonly status: number; readonly bytes: Buffer | undefined };
  try {
    const { status, body } = await host.fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(question),
      timeout,
      total: timeout,
    });
    answer = { status, bytes: await collectBytes(body, maxAnswer) };
  } catch (cause) {
    throw refused('no answer', cause);
  }
  const { status, bytes } = answer;
  if (bytes === undefined) throw refused('more');
  if (status !== 200) throw refused(`status ${status}: ${bytes.toString('utf8').slice(0, 300)}`);
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw refused('another form', cause);
  }
}

/**
 * searchLog returns the UUIDs of the entries whose certificate names a subject. `subject` is searched for by Rekor from
 * the release that has sigstore/rekor#2850; an older one ignores the member or refuses it, so that an empty answer alone
 * means nothing. An e-mail address has a member of its own. Throws `sigstore/rekor-search`.
 */
export async function searchLog(host: Host, rekor: string, subject: string): Promise<readonly string[]> {
  const question = /^[^@/\s]+@[^@/\s]+$/.test(subject) ? { email: subject } : { subject };
  return await ask(host, found, `${rekor}/api/v1/index/retrieve`, question);
}

/**
 * readEntries reads entries by UUID, a few in each request. One that the log answers with another body than its UUID
 * says is an error, and so is one that it leaves out. Throws `sigstore/rekor-search`.
 */
export async function readEntries(host: Host, rekor: string, uuids: readonly string[]): Promise<LoggedEntry[]> {
  const read = new Map<string, LoggedEntry>();
  for (let at = 0; at < uuids.length; at += entriesAtOnce) {
    const entryUUIDs = uuids.slice(at, at + entriesAtOnce);
    for (const answer of await ask(host, entries, `${rekor}/api/v1/log/entries/retrieve`, { entryUUIDs }))
      for (const { body, logIndex, integratedTime } of Object.values(answer)) {
        const bytes = Buffer.from(body, 'base64');
        const leaf = leafHash(bytes);
        read.set(leaf, { leaf, logIndex, time: new Date(integratedTime * 1000), identity: entryIdentity(bytes) });
      }
  }
  return uuids.map((id) => {
    const one = read.get(leafOf(id));
    if (one !== undefined) return one;
    throw new AppError('sigstore/rekor-search', 'upstream', 'Rekor left out an entry that its index names', {
      expected: id,
      found: `${read.size} other entries`,
    });
  });
}
