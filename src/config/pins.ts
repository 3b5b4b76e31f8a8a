import * as z from 'zod';
import { namesWorkflow } from '../core/workflow-identity.ts';
import type { Pin, PinPolicy, ReleasePin } from '../core/index.ts';
import { readYaml, type Read } from './document.ts';
import {
  absolutePath,
  commit,
  digest,
  httpsUrl,
  name,
  platform,
  relativePath,
  repository,
  sentence,
  version,
} from './text.ts';

const evidence = z.strictObject({
  kind: z.enum([
    'publisher-checksum',
    'registry-digest',
    'own-hash',
    'api-digest',
    'git-object',
    'lock-integrity',
    'signature',
    'attestation',
    'recorded',
  ]),
  source: sentence,
  seen: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date, YYYY-MM-DD')
    .optional(),
});

const whole = z
  .string()
  .min(1)
  .refine((text) => !/[*\s]/.test(text), 'patterns are not accepted: give the whole value');
const signed = z
  .strictObject({
    issuer: httpsUrl.optional(),
    identities: z.array(whole).min(1).optional(),
    repository: httpsUrl.optional(),
    ref: z.array(whole).min(1).optional(),
    trigger: z.array(whole).min(1).optional(),
    builders: z.array(whole).min(1).optional(),
    key: relativePath.optional(),
    require: z
      .array(z.enum(['signature', 'provenance']))
      .min(1)
      .default(['signature']),
    nodes: z.enum(['every', 'root']).default('every'),
    legacy: z.boolean().default(false),
  })
  .refine(
    ({ issuer, identities, key }) =>
      key === undefined
        ? issuer !== undefined && identities !== undefined
        : issuer === undefined && identities === undefined,
    'names either issuer and identities, or a key',
  )
  .refine(
    ({ issuer = '', identities = [], repository }) => repository !== undefined || !namesWorkflow(issuer, identities),
    'names no repository: any repository can call a reusable workflow and get its identity',
  );

const policy = z.strictObject({
  range: z.string().max(100).optional(),
  tag: z.string().max(100).optional(),
  prerelease: z.boolean().optional(),
  cooldownDays: z.number().int().nonnegative().max(365).optional(),
  deny: z.array(version).optional(),
  registries: z
    .array(z.string().regex(/^[a-z0-9.-]+(?::[0-9]{1,5})?$/, 'must be a hostname in lower case'))
    .min(1)
    .optional(),
  signed: signed.optional(),
});

export const evidenceList = z.array(evidence).min(1, 'evidence is needed: facts without a source are not facts');
export const absentList = z.array(z.strictObject({ fact: sentence, reason: sentence }));

const base = { policy, evidence: evidenceList, absent: absentList.optional() };
const npmPackage = z
  .string()
  .regex(/^(?:@[a-z0-9-][a-z0-9-._]*\/)?[a-z0-9-][a-z0-9-._]*$/, 'must be the name of an npm package');
const rpm = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/, 'must be the name of a package');

const pin = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('image'),
    repository,
    version,
    digest,
    platforms: z.partialRecord(platform, digest).optional(),
    ...base,
  }),
  z.strictObject({
    kind: z.literal('release'),
    repository: httpsUrl,
    version,
    url: httpsUrl.refine(
      (url) => url.includes('{arch}') && url.includes('{version}'),
      'must hold {version} and {arch}',
    ),
    /** Relative to the project; the lab's lies elsewhere and is absolute. */
    checksumFile: z.union([relativePath, absolutePath]),
    ...base,
  }),
  z.strictObject({
    kind: z.literal('npm'),
    package: npmPackage,
    version,
    lock: relativePath,
    integrity: z.string().regex(/^sha512-[A-Za-z0-9+/]{86}==$/, 'must be sha512- and 88 characters of base64'),
    ...base,
  }),
  z.strictObject({ kind: z.literal('python'), version, installedBy: name, ...base }),
  z.strictObject({
    kind: z.literal('git'),
    repository: httpsUrl,
    version,
    commit,
    path: relativePath,
    tree: commit,
    digest,
    ...base,
  }),
  z.strictObject({ kind: z.literal('rpms'), base: name, packages: z.array(rpm).min(1), ...base }),
  z.strictObject({
    kind: z.literal('action'),
    repository: z.string().regex(/^[A-Za-z0-9-]+\/[A-Za-z0-9._-]+$/, 'must be owner/name'),
    version,
    commit,
    ...base,
  }),
]);

export const pinsSchema = z.strictObject({
  /** The pins are the lab's stand-ins: such images may be published to loopback only. */
  lab: z.boolean().optional(),
  pins: z.record(name, pin),
});

/** A release pin without its checksums, which lie in a file of their own. */
export type PinEntry = Exclude<Pin, ReleasePin> | Omit<ReleasePin, 'checksums'>;

export interface PinsFile {
  readonly lab: boolean;
  readonly entries: ReadonlyMap<string, PinEntry>;
}

function toEntry(pinName: string, raw: z.infer<typeof pin>): PinEntry {
  const common = { name: pinName, policy: raw.policy as PinPolicy, absent: raw.absent ?? [] };
  const entry = raw.kind === 'image' ? { ...raw, ...common, platforms: raw.platforms ?? {} } : { ...raw, ...common };
  return entry;
}

/** readPins reads images/pins.yaml. Throws every problem at once, with file:line:column. */
export function readPins(text: string, file: string): Read<PinsFile> {
  const read = readYaml(pinsSchema, text, file);
  const entries = Object.entries(read.value.pins).map(([key, raw]) => [key, toEntry(key, raw)] as const);
  return { value: { lab: read.value.lab ?? false, entries: new Map(entries) }, where: read.where };
}
