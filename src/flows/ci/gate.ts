import { fromOciPlatform, type Descriptor, type Digest, type Plan } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { Registry } from '../../registry/index.ts';
import { checkImage, type CheckResult } from '../check/index.ts';
import { buildsOfLayout, gateRecordSchema, type GateRecord } from '../evidence/index.ts';
import { childrenOf, readRecord, type CheckRecord } from './evidence.ts';
import { throwFindings } from './throw-findings.ts';

export async function readGateRecord(host: Host, file: string): Promise<GateRecord> {
  const text = await host.files.readText(file, 64 * 1024);
  try {
    return gateRecordSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('ci/record', 'usage', 'malformed record of the gate', { where: { file }, cause });
  }
}

export interface GateOptions {
  readonly root: string;
  readonly plan: Plan;
  /** Absolute path of the joined layout. */
  readonly layout: string;
  /** Files that `ci check` wrote, one for each platform. */
  readonly records: readonly string[];
  readonly registry: Registry;
  readonly version: string;
}

const closed = (message: string, expected: string, found: string): AppError =>
  new AppError('ci/gate', 'findings', `the gate is closed: ${message}`, {
    expected,
    found,
    hint: 'the job that checked this platform shows its findings; nothing was pushed',
  });

/** A record counts for the very manifest that it names, and only when everything was seen to pass. */
function judge(name: string, manifest: Digest, records: readonly CheckRecord[]): AppError[] {
  const found = records.filter((one) => one.manifest === manifest);
  if (found.length === 0) return [closed(`nobody started ${name}`, `a record of ${manifest}`, 'none')];
  return found.flatMap(({ errors, checks }) => {
    const bad = checks.filter(({ state }) => state === 'failed').map(({ check }) => check);
    if (errors > 0 || bad.length > 0)
      return [closed(`${name} failed its checks`, 'no error', `${errors} errors; failed: ${bad.join(', ') || 'none'}`)];
    if (checks.some(({ state }) => state === 'passed')) return [];
    return [closed(`no check saw ${name} pass`, 'a check that passed', `${checks.length} that saw nothing`)];
  });
}

/** judgeRecords holds the manifests of an index against what native machines saw; it gives every reason against. */
export function judgeRecords(
  plan: Pick<Plan, 'variant' | 'platforms'>,
  children: readonly Descriptor[],
  records: readonly CheckRecord[],
): readonly AppError[] {
  const present = children.map(({ platform }) => fromOciPlatform(platform));
  const missing = plan.platforms.filter((platform) => !present.includes(platform));
  return [
    ...missing.map((platform) => closed(`the index lacks ${platform}`, plan.platforms.join(', '), present.join(', '))),
    ...children.flatMap(({ digest: manifest, platform: stated }) => {
      const platform = fromOciPlatform(stated);
      const name = `${plan.variant} ${platform ?? 'of another platform'}`;
      const about = records.filter((one) => one.variant === plan.variant && one.platform === platform);
      return judge(name, manifest, about);
    }),
  ];
}

/**
 * gateVariant lets an index through when the contract holds on all platforms together and each of its
 * manifests was started and found well by a native machine. Throws `ci/gate` (exit 1), every reason at once.
 */
export async function gateVariant(
  host: Host,
  options: GateOptions,
): Promise<{ readonly record: GateRecord; readonly result: CheckResult }> {
  const { plan, layout, root: project, registry, version } = options;
  const { root, children } = await childrenOf(host, layout);
  const records = await Promise.all(options.records.map((file) => readRecord(host, file)));
  const problems = [...judgeRecords(plan, children, records)];
  const result = await checkImage(host, { root: project, registry, version, image: { $case: 'oci', path: layout } });
  const broken = result.report.findings.filter(({ severity }) => severity === 'error').map(({ rule }) => rule);
  if (broken.length > 0)
    problems.push(closed(`${plan.variant} breaks the contract`, 'no error on any platform', broken.join(', ')));
  throwFindings('ci/gate', problems, 'the jobs that checked the platforms show their findings; nothing was pushed');
  return { record: await gateRecord(host, layout, plan, root.digest), result };
}

/** gateRecord is what goes to the machines that publish and sign: the index, and who built its platforms. */
export async function gateRecord(
  host: Host,
  layout: string,
  { variant }: Pick<Plan, 'variant'>,
  digest: Digest,
): Promise<GateRecord> {
  return { version: 1, variant, digest, builds: [...(await buildsOfLayout(host, layout, digest))] };
}
