import * as z from 'zod';
import { isDigest, platforms, type Digest } from '../core/index.ts';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a sha256 digest');
const time = z.iso.datetime();
const platform = z.enum(platforms);
const count = z.number().int().nonnegative();

const pin = z.strictObject({
  name: z.string(),
  kind: z.string(),
  version: z.string(),
  /** Where each fact of the pin was learned. */
  evidence: z.array(z.looseObject({ kind: z.string(), source: z.string(), seen: z.string().optional() })),
  absent: z.array(z.strictObject({ fact: z.string(), reason: z.string() })),
});

/** An engine's own words end in signed provenance: printable, and not a page of them. */
const engineText = z.string().regex(/^[\x20-\x7e]{1,120}$/, 'not a short, printable text');

const build = z.strictObject({
  platform,
  manifest: digest,
  engine: z.strictObject({ product: engineText, version: engineText }),
});

const run = z.strictObject({
  platform,
  manifest: digest,
  at: time,
  /** Findings of severity error, in the layers and in the started container. */
  errors: count,
  checks: z.array(z.strictObject({ check: z.string(), state: z.enum(['passed', 'failed', 'unobserved']) })),
});

const gate = z.strictObject({
  /** True only when every platform was started and none had an error. */
  passed: z.boolean(),
  at: time,
  errors: count,
  warnings: count,
  waived: count,
  /** Rules with errors and platforms that were not seen to pass, each once. */
  broken: z.array(z.string()),
});

const publication = z.strictObject({
  reference: z.string(),
  at: time,
  tags: z.array(z.strictObject({ tag: z.string(), before: digest.optional(), after: digest })),
});

const attachment = z.strictObject({
  node: z.string(),
  subject: digest,
  predicateType: z.string(),
  /** Of the referrer's manifest. */
  digest,
});

const sbom = z.strictObject({
  platform,
  /** The image it lists. */
  manifest: digest,
  /** Of the document's text. */
  digest,
  components: count,
});

const verification = z.strictObject({
  reference: z.string(),
  at: time,
  ok: z.boolean(),
  /** Whom the policy named. */
  signer: z.string(),
  nodes: z.array(
    z.strictObject({ name: z.string(), digest, proven: z.array(z.string()), missing: z.array(z.string()) }),
  ),
});

/** At most one item for each platform. */
const perPlatform = <T extends z.ZodType<{ readonly platform: string }>>(item: T) =>
  z
    .array(item)
    .max(platforms.length)
    .refine((all) => new Set(all.map((one) => one.platform)).size === all.length, 'a platform comes twice');

/**
 * The schema of evidence.json: what was seen of one index, step by step. `build` begins it, `join` merges those of
 * several machines, every later step extends it, and CI hands it from job to job. What was not observed is absent.
 */
export const evidenceSchema = z.strictObject({
  version: z.literal(2),
  variant: z.string(),
  /** The index that everything below is about. */
  digest,
  inputDigest: digest,
  lab: z.boolean(),
  platforms: perPlatform(z.strictObject({ platform, manifest: digest })),
  pins: z.array(pin),
  /** Which engine built each platform, as the machine that built it recorded. */
  builds: perPlatform(build),
  /** What a machine saw that started a platform's image: `check --run --evidence`, or the gate of `publish`. */
  runs: perPlatform(run),
  gate: gate.optional(),
  /** Why it was signed although no gate is recorded, in the words of the signer. */
  signedWithoutGate: z.string().optional(),
  publications: z.array(publication),
  attachments: z.array(attachment),
  sboms: z.array(sbom),
  verification: verification.optional(),
});

export type Evidence = Readonly<z.infer<typeof evidenceSchema>>;
export type Build = Readonly<z.infer<typeof build>>;
export type Run = Readonly<z.infer<typeof run>>;
export type Gate = Readonly<z.infer<typeof gate>>;
