import { join } from 'node:path';
import * as z from 'zod';
import { commit, digest, name, platform, version } from '../../config/text.ts';
import { platforms } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';

/** The one file that goes from the job that asks the internet to the job that may write. */
export const recordFile = 'bump.json';
/** Five agents' locks are 1 MB; a record is read whole. */
const maxRecordBytes = 32 * 1024 * 1024;

// Listed is what may come, not what may not: no pattern lets a line break or a quote through.
const line = z.string().regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,1000}$/u, 'must be one line of text');
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'must be YYYY-MM-DD');
const integrity = z.string().regex(/^sha512-[A-Za-z0-9+/]{86}==$/, 'must be sha512- and 88 characters of base64');
const identity = z.string().regex(/^[\w:+/=.-]{1,200}$/, 'must be a digest, an integrity or a commit');
const fileName = z.string().regex(/^[A-Za-z0-9][\w.+-]{0,199}$/, 'must be the name of a file');
const link = z
  .url({ protocol: /^https$/ })
  .max(1000)
  .optional();
const text = z.string().max(8 * 1024 * 1024);

const facts = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('image'), version, digest, platforms: z.record(platform, digest) }),
  z.strictObject({
    kind: z.literal('release'),
    version,
    assets: z
      .array(z.strictObject({ platform, name: fileName, digest, size: z.number().int().nonnegative() }))
      .length(platforms.length)
      .refine((all) => new Set(all.map((one) => one.platform)).size === all.length, 'one asset for each platform'),
  }),
  z.strictObject({
    kind: z.literal('npm'),
    version,
    integrity,
    files: z.strictObject({ 'package.json': text, 'package-lock.json': text }),
  }),
  z.strictObject({ kind: z.literal('python'), version }),
  z.strictObject({ kind: z.literal('git'), version, commit, tree: commit, digest }),
  z.strictObject({ kind: z.literal('action'), version, commit }),
]);

const evidence = z.strictObject({
  kind: z.enum([
    ...['publisher-checksum', 'registry-digest', 'own-hash', 'api-digest'],
    ...['git-object', 'lock-integrity', 'signature', 'attestation'],
  ] as const),
  source: line,
  seen: date.optional(),
});

const held = z.array(
  z.strictObject({
    version,
    reason: z.enum([
      ...['too-new', 'age-unknown', 'denied', 'out-of-range', 'prerelease'],
      ...['downgrade', 'registry', 'incomplete', 'evidence-lost', 'unsigned'],
    ] as const),
    detail: line,
  }),
);

const due = z.strictObject({
  $case: z.literal('due'),
  published: z.iso.datetime({ offset: true }).optional(),
  age: z.number().int().nonnegative().optional(),
  gone: line.optional(),
  link,
  facts,
  evidence: z.array(evidence).min(1).max(20),
});
const answer = z.discriminatedUnion('$case', [
  due,
  z.strictObject({ $case: z.literal('quiet') }),
  z.strictObject({ $case: z.literal('gone'), what: line }),
  z.strictObject({ $case: z.literal('unknown'), message: line }),
  z.strictObject({ $case: z.literal('alarm'), expected: line, found: line, source: line }),
]);

const record = z.strictObject({
  version: z.literal(2),
  group: name,
  /** Commit whose pins were judged. */
  base: commit,
  /** One for each pin of the group. */
  rows: z.array(z.strictObject({ pin: name, held: held.max(200), answer })).max(1000),
  /** First sights of versions: pin → version → day and bytes. */
  sights: z.record(name, z.record(version, z.strictObject({ seen: date, identity }))),
});

/** BumpRecord is what upstreams said about a group of pins: facts, and no change of any file. */
export type BumpRecord = Readonly<z.infer<typeof record>>;
export type BumpAnswer = z.infer<typeof answer>;

/** Every file of it is checked again where it is read; here, a producer's own fault is found before it is handed on. */
export async function writeBumpRecord(host: Host, folder: string, value: BumpRecord): Promise<void> {
  await host.files.write(join(folder, recordFile), `${JSON.stringify(record.parse(value), null, 2)}\n`);
}

/** readBumpRecord reads a record as untrusted. Throws `ci/record`, and `host/file-too-large` above 32 MiB. */
export async function readBumpRecord(host: Host, folder: string): Promise<BumpRecord> {
  const file = join(folder, recordFile);
  const json = await host.files.readText(file, maxRecordBytes);
  try {
    return record.parse(JSON.parse(json));
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
    throw new AppError('ci/record', 'findings', 'malformed record of a bump', {
      found: issue === undefined ? 'no JSON' : `${issue.path.join('.').slice(0, 120)}: ${issue.message.slice(0, 200)}`,
      where: { file },
      hint: 'nothing was pushed',
      cause,
    });
  }
}
