import * as z from 'zod';
import { isDigest, platforms, type Digest } from '../../core/index.ts';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a sha256 digest');
const time = z.iso.datetime();

const pin = z.object({
  name: z.string(),
  kind: z.string(),
  version: z.string(),
  /** Where each fact of the pin was learned. */
  evidence: z.array(z.object({ kind: z.string(), source: z.string(), seen: z.string().optional() })),
  absent: z.array(z.object({ fact: z.string(), reason: z.string() })),
});

const gate = z.object({
  /** True only when no platform had an error. */
  passed: z.boolean(),
  at: time,
  errors: z.number().int().nonnegative(),
  warnings: z.number().int().nonnegative(),
  waived: z.number().int().nonnegative(),
  /** Rules with errors, each once. */
  broken: z.array(z.string()),
  platforms: z.array(
    z.object({
      platform: z.enum(platforms),
      manifest: digest,
      checks: z.array(z.object({ check: z.string(), state: z.enum(['passed', 'failed', 'unobserved']) })),
    }),
  ),
});

const publication = z.object({
  reference: z.string(),
  at: time,
  tags: z.array(z.object({ tag: z.string(), before: digest.optional(), after: digest })),
});

const attachment = z.object({
  node: z.string(),
  subject: digest,
  predicateType: z.string(),
  /** Of the referrer's manifest. */
  digest,
});

const sbom = z.object({
  platform: z.enum(platforms),
  /** The image it lists. */
  manifest: digest,
  /** Of the document's text. */
  digest,
  components: z.number().int().nonnegative(),
});

const verification = z.object({
  reference: z.string(),
  at: time,
  ok: z.boolean(),
  /** Whom the policy named. */
  signer: z.string(),
  nodes: z.array(z.object({ name: z.string(), digest, proven: z.array(z.string()), missing: z.array(z.string()) })),
});

/** An engine's own words end in signed provenance: printable, and not a page of them. */
const engineText = z.string().regex(/^[\x20-\x7e]{1,120}$/, 'not a short, printable text');

const platformBuild = z.strictObject({
  platform: z.enum(platforms),
  manifest: digest,
  engine: z.strictObject({ product: engineText, version: engineText }),
});
/** PlatformBuild says who built one platform's image, as the machine that built it wrote down. */
export type PlatformBuild = Readonly<z.infer<typeof platformBuild>>;

/** At most one for each platform; a platform that nobody recorded is absent. */
const builds = z
  .array(platformBuild)
  .max(platforms.length)
  .refine((all) => new Set(all.map(({ platform }) => platform)).size === all.length, 'a platform comes twice')
  .default([]);

/** What `ci gate` writes: it names the one index that passed, and exists only then. */
export const gateRecordSchema = z.strictObject({ version: z.literal(1), variant: z.string(), digest, builds });
export type GateRecord = Readonly<z.infer<typeof gateRecordSchema>>;

/** The schema of evidence.json: what was seen to happen to one index, step by step. What nobody saw is absent. */
export const evidenceSchema = z.object({
  version: z.literal(1),
  variant: z.string(),
  /** The index that everything below is about. */
  digest,
  inputDigest: digest,
  lab: z.boolean(),
  platforms: z.array(z.object({ platform: z.enum(platforms), manifest: digest })),
  pins: z.array(pin),
  builds,
  gate: gate.optional(),
  /** Why it was signed although no gate is recorded, in the words of whoever did it. */
  signedWithoutGate: z.string().optional(),
  publications: z.array(publication),
  attachments: z.array(attachment),
  sboms: z.array(sbom),
  verification: verification.optional(),
});

/** What may be handed over as the record of an index: its evidence, or what `ci gate` wrote. */
export const recordSchema = z.union([evidenceSchema, gateRecordSchema]);

export type Evidence = Readonly<z.infer<typeof evidenceSchema>>;
export type GateEvidence = NonNullable<Evidence['gate']>;
