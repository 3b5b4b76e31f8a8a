import * as z from 'zod';
import { isDigest, parseIndex, platforms, type Digest, type Platform } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { openLayout } from '../../oci/index.ts';
import type { Registry } from '../../registry/index.ts';
import { countsOf } from '../../report/index.ts';
import { checkImage, type CheckResult } from '../check/index.ts';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a sha256 digest');
const record = z.object({
  version: z.literal(1),
  variant: z.string(),
  platform: z.enum(platforms),
  manifest: digest,
  errors: z.number().int().nonnegative(),
  checks: z.array(z.object({ check: z.string(), state: z.enum(['passed', 'failed', 'unobserved']) })),
});

/** CheckRecord says what a native machine found when it started one platform's image. */
export type CheckRecord = Readonly<z.infer<typeof record>>;

export interface CheckPlatformOptions {
  readonly root: string;
  /** Absolute path of the layout. */
  readonly layout: string;
  readonly variant: string;
  readonly platform: Platform;
  readonly registry: Registry;
  readonly version: string;
  readonly dockerHost?: string | undefined;
}

/** checkPlatform runs the whole suite on one platform, on a machine that runs it natively. */
export async function checkPlatform(
  host: Host,
  options: CheckPlatformOptions,
): Promise<{ readonly record: CheckRecord; readonly result: CheckResult }> {
  const { layout, platform, ...rest } = options;
  const result = await checkImage(host, {
    ...rest,
    image: { $case: 'oci', path: layout },
    platforms: [platform],
    run: 'suite',
  });
  const [picture] = result.pictures;
  if (picture?.platform !== platform)
    throw new AppError('ci/platform', 'usage', `the layout holds no ${platform}`, { where: { file: layout } });
  const checks = result.probes.flatMap((probe) => probe.checks).map(({ check, state }) => ({ check, state }));
  return {
    result,
    record: {
      version: 1,
      variant: options.variant,
      platform,
      manifest: picture.manifestDigest,
      errors: countsOf(result.report.findings).errors,
      checks,
    },
  };
}

export async function readRecord(host: Host, file: string): Promise<CheckRecord> {
  const text = await host.files.readText(file, 1024 * 1024);
  try {
    return record.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('ci/record', 'usage', 'malformed record of a check', { where: { file }, cause });
  }
}

/** childrenOf gives the index of a layout and its manifests by platform order. */
export async function childrenOf(host: Host, directory: string) {
  const layout = await openLayout(host, directory);
  const root = await layout.root();
  if (root === undefined)
    throw new AppError('ci/empty', 'usage', 'the layout holds no image', { where: { file: directory } });
  return { root, children: parseIndex(await layout.read(root)).manifests };
}
