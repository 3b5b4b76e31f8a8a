import * as z from 'zod';
import { hexOf, type Digest } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import { predicateTypes, type Attestation } from './predicate-types.ts';

const statement = z.object({
  // cosign 2 writes v0.1; the members that are read here are the same.
  _type: z.enum(['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']),
  subject: z
    .array(z.object({ name: z.string().optional(), digest: z.record(z.string(), z.string()) }))
    .min(1)
    .max(1_000),
  predicateType: z.string().min(1),
  predicate: z.record(z.string(), z.unknown()),
});
/** An in-toto statement (in-toto.io/attestation, spec/v1/statement.md). */
export type Statement = Readonly<z.infer<typeof statement>>;

/**
 * Upper limit of a statement, in bytes. Rekor v1 takes the whole envelope as base64 inside JSON and
 * has been seen to fail from about 3.5 MB.
 */
export const maxStatementBytes = 2_500_000;

/** makeStatement says something about one digest. `name` is the repository, where that is of interest. */
export function makeStatement(
  kind: Attestation,
  subject: Digest,
  predicate: Readonly<Record<string, unknown>>,
  name?: string,
): Statement {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name, digest: { sha256: hexOf(subject) } }],
    predicateType: predicateTypes[kind],
    predicate,
  };
}

/** imageSignature is what cosign 3 takes for "signed": an empty predicate that must be there. */
export const imageSignature = (subject: Digest): Statement => makeStatement('signature', subject, {});

/** encodeStatement returns the bytes to sign. Throws `sigstore/too-large` before anything is sent anywhere. */
export function encodeStatement(value: Statement): Buffer {
  const bytes = Buffer.from(JSON.stringify(value));
  if (bytes.length <= maxStatementBytes) return bytes;
  throw new AppError('sigstore/too-large', 'usage', 'the statement is too large for the transparency log', {
    expected: `at most ${maxStatementBytes} bytes`,
    found: `${bytes.length} bytes of ${value.predicateType}`,
    hint: 'an SBOM: keep its components at the level of packages; nothing was signed or attached',
  });
}

/** readStatement returns undefined for anything but a statement; callers say what it was. */
export function readStatement(payload: Uint8Array): Statement | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return undefined;
  }
  const result = statement.safeParse(value);
  return result.success ? result.data : undefined;
}

/** subjectIs returns whether the statement speaks about this digest. */
export function subjectIs(value: Statement, digest: Digest): boolean {
  return value.subject.some((subject) => subject.digest['sha256'] === hexOf(digest));
}
