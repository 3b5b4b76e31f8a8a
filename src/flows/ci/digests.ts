import { join } from 'node:path';
import { labelNames, parseImageRef, parseIndex, type Digest, type Plan } from '../../core/index.ts';
import { AppError, throwAll } from '../../errors/index.ts';
import { loadEvidence, requirePassed, type Evidence } from '../../evidence/index.ts';
import type { Host } from '../../host/index.ts';
import type { Registry } from '../../registry/index.ts';
import { readFrozen } from './frozen.ts';

/** SignJob is all that the signing workflow receives: where, and which bytes. */
export interface SignJob {
  readonly repository: string;
  readonly digest: Digest;
}

export interface DigestsOptions {
  /** The frozen plans. */
  readonly frozen: string;
  /** Folder with files evidence.json, in it or one level below: each artifact comes in a folder of its own. */
  readonly evidence: string;
  readonly registry: Registry;
}

const fileName = 'evidence.json';

/** Evidence of each gate, every one of which has to have passed. */
async function passedIn(host: Host, folder: string): Promise<readonly Evidence[]> {
  const places = (await host.files.list(folder)).map((name) => (name === fileName ? name : join(name, fileName)));
  const found: Evidence[] = [];
  for (const place of places) {
    const file = join(folder, place);
    if ((await host.files.stat(file).catch(() => undefined))?.type !== 'file') continue;
    const filed = await loadEvidence(host, file);
    requirePassed(filed);
    found.push(filed.evidence);
  }
  return found;
}

const fault = (message: string, expected: string, found: string): AppError =>
  new AppError('ci/digests', 'findings', message, { expected, found, hint: 'nothing was signed' });

/** published holds what lies in the registry against the plan: only what these inputs made is signed. */
async function published(registry: Registry, plan: Plan, digest: Digest): Promise<SignJob> {
  const { registry: at, repository } = parseImageRef(plan.repository);
  const { annotations } = parseIndex((await registry.manifest({ registry: at, repository, digest })).bytes);
  const found = annotations?.[labelNames.inputDigest];
  if (found !== plan.inputDigest)
    throw fault(`${plan.variant} was made from other inputs`, plan.inputDigest, found ?? 'no input digest');
  if (annotations?.[labelNames.expires] !== undefined)
    throw fault(`${plan.variant} expires`, 'an image that stays', annotations[labelNames.expires] ?? '');
  return { repository: plan.repository, digest };
}

/**
 * publishedDigests returns what this run built and pushed, for the jobs that sign: each index that passed its
 * gate, seen in the registry, made from the plan's inputs. Throws `ci/digests`, every fault at once.
 */
export async function publishedDigests(host: Host, options: DigestsOptions): Promise<readonly SignJob[]> {
  const { plans, unchanged } = await readFrozen(host, options.frozen);
  const passed = await passedIn(host, options.evidence);
  const built = (plans as unknown as readonly Plan[]).filter(
    ({ variant }) => !unchanged.some((known) => known.variant === variant),
  );
  const errors = passed
    .filter(({ variant }) => !built.some((plan) => plan.variant === variant))
    .map(({ variant }) => fault('evidence of a variant that was not to be built', 'a variant of the plan', variant));
  const jobs: SignJob[] = [];
  for (const plan of built) {
    const found = passed.filter(({ variant }) => variant === plan.variant);
    const [evidence] = found;
    if (evidence === undefined || found.length > 1) {
      errors.push(fault(`${plan.variant}: ${found.length} files of evidence`, 'one', String(found.length)));
      continue;
    }
    try {
      jobs.push(await published(options.registry, plan, evidence.digest));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      errors.push(error);
    }
  }
  throwAll(errors);
  return jobs;
}
