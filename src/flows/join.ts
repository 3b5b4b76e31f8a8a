import { join } from 'node:path';
import {
  fromOciPlatform,
  labelNames,
  parseImageConfig,
  parseManifest,
  type Descriptor,
  type Plan,
} from '../core/index.ts';
import { AppError, throwAll } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { collectGarbage, createLayout, validateLayout, writeImageIndex, type Layout } from '../oci/index.ts';
import { annotationsOf } from './build/index.ts';
import { about, beginEvidence, readEvidence, type Build, type Run } from '../evidence/index.ts';
import { lockLayout, openBuilt } from './built.ts';

export interface JoinOptions {
  readonly plan: Plan;
  /** Layouts that hold one or more of the plan's platforms each. */
  readonly from: readonly string[];
  /** Absolute path of the layout that holds them all in the end. */
  readonly layout: string;
  /** Value of `quay.expires-after` that every platform must carry; absent: none may carry one. */
  readonly expires?: string | undefined;
}

interface Part {
  readonly layout: Layout;
  readonly descriptor: Descriptor;
  readonly labels: Readonly<Record<string, string>>;
  /** What its machine recorded of it: who built it, and what was seen when it was started. */
  readonly builds: readonly Build[];
  readonly runs: readonly Run[];
}

/** What all platforms of one index have to say in the same words. */
const shared = [
  labelNames.variant,
  labelNames.inputDigest,
  labelNames.revision,
  labelNames.created,
  labelNames.version,
  labelNames.lab,
  labelNames.expires,
] as const;

function wrong(
  what: string,
  facts: { expected?: string | undefined; found?: string | undefined; file: string; hint?: string | undefined },
): AppError {
  const { file, ...rest } = facts;
  return new AppError('join/part', 'usage', what, { ...rest, where: { file } });
}

async function partsOf(host: Host, directory: string, plan: Plan): Promise<Part[]> {
  const { layout, index, digest } = await openBuilt(host, directory);
  const built = index.annotations?.[labelNames.inputDigest];
  if (built !== plan.inputDigest)
    throw wrong('the layout was built from other inputs', {
      expected: plan.inputDigest,
      found: built ?? 'no input digest',
      file: directory,
      hint: 'build every platform from the same plan',
    });
  const filed = await readEvidence(host, directory);
  const { builds, runs } = filed === undefined ? { builds: [], runs: [] } : about(filed, digest).evidence;
  const parts = await Promise.all(
    index.manifests.map(async (descriptor) => {
      const { config } = parseManifest(await layout.read(descriptor));
      const image = parseImageConfig(await layout.read(config));
      const platform = fromOciPlatform({ os: image.os, architecture: image.architecture });
      const stated = fromOciPlatform(descriptor.platform);
      if (platform === undefined || platform !== stated)
        throw wrong('an index states another platform than the image itself', {
          expected: `${image.os}/${image.architecture}`,
          found: stated ?? 'none that this project builds',
          file: directory,
        });
      const isOf = (record: Build | Run) => record.manifest === descriptor.digest && record.platform === platform;
      const labels = image.config?.Labels ?? {};
      return { layout, descriptor, labels, builds: builds.filter(isOf), runs: runs.filter(isOf) };
    }),
  );
  // Anything more in the evidence would end in the provenance of another image, or open a gate.
  const known = new Set<Build | Run>(parts.flatMap((part) => [...part.builds, ...part.runs]));
  const odd = [...builds, ...runs].find((record) => !known.has(record));
  if (odd === undefined) return parts;
  throw wrong('the evidence is about another image', {
    expected: index.manifests.map(({ digest }) => digest).join(', '),
    found: `${odd.platform} ${odd.manifest}`,
    file: directory,
  });
}

/** checkPlatforms holds the parts against the plan: each of its platforms once, nothing else. */
function checkPlatforms(parts: readonly Part[], plan: Plan): AppError[] {
  const problems: AppError[] = [];
  const found = new Map<string, Part>();
  for (const part of parts) {
    const platform = fromOciPlatform(part.descriptor.platform);
    const file = part.layout.directory;
    if (platform === undefined || !plan.platforms.includes(platform)) {
      problems.push(
        wrong('a platform that the plan does not have', {
          found: platform ?? 'unknown',
          file,
          expected: plan.platforms.join(', '),
        }),
      );
      continue;
    }
    const other = found.get(platform);
    if (other !== undefined)
      problems.push(
        wrong(`${platform} comes twice`, { expected: 'each platform once', found: other.layout.directory, file }),
      );
    found.set(platform, part);
  }
  for (const platform of plan.platforms) {
    if (found.has(platform)) continue;
    problems.push(
      new AppError('join/missing-platform', 'usage', `no layout holds ${platform}`, {
        expected: plan.platforms.join(', '),
        found: [...found.keys()].join(', ') || 'nothing',
        hint: `runner-image build ${plan.variant} --platform ${platform}`,
      }),
    );
  }
  return problems;
}

/** A label that differs between platforms would make the index say two things at once. */
function checkLabels(parts: readonly Part[], options: JoinOptions): AppError[] {
  const { plan } = options;
  const lacking = (text: string | undefined) => text ?? 'no such label';
  const expected: Partial<Record<string, string | undefined>> = {
    [labelNames.variant]: plan.variant,
    [labelNames.inputDigest]: plan.inputDigest,
    [labelNames.revision]: plan.buildArgs['GIT_COMMIT'],
    [labelNames.expires]: options.expires,
  };
  return shared.flatMap((name) => {
    const wanted = Object.hasOwn(expected, name) ? expected[name] : parts[0]?.labels[name];
    return parts
      .filter(({ labels }) => labels[name] !== wanted)
      .map(({ labels, layout }) =>
        wrong(`label ${name} is not what it has to be on every platform`, {
          expected: lacking(wanted),
          found: lacking(labels[name]),
          file: layout.directory,
        }),
      );
  });
}

/** Every blob is verified against its digest as it is copied; what is there already is verified by the validator. */
async function copyImage(from: Layout, to: Layout, descriptor: Descriptor): Promise<void> {
  const { config, layers } = parseManifest(await from.read(descriptor));
  for (const blob of [...layers, config, descriptor])
    if (!(await to.has(blob))) await to.put(await from.openRaw(blob), blob);
}

/**
 * joinLayouts makes one layout with one index out of layouts that were built apart, on one machine for each
 * platform. It throws `join/part` and `join/missing-platform`, all problems at once, before anything is
 * written, and `join/invalid` when the result is not a valid layout. What each machine recorded goes along.
 */
export async function joinLayouts(host: Host, options: JoinOptions): Promise<Descriptor> {
  const { plan } = options;
  const parts = (await Promise.all(options.from.map((directory) => partsOf(host, directory, plan)))).flat();
  throwAll([...checkPlatforms(parts, plan), ...checkLabels(parts, options)]);
  const lock = await lockLayout(host, options.layout);
  try {
    const layout = await createLayout(host, options.layout);
    for (const { layout: from, descriptor } of parts) await copyImage(from, layout, descriptor);
    await lock.assertHeld();
    const index = await writeImageIndex(
      layout,
      parts.map(({ descriptor }) => descriptor),
      annotationsOf(plan, options.expires),
    );
    await collectGarbage(host, layout);
    const [problem] = await validateLayout(host, options.layout);
    if (problem !== undefined) {
      // Without index.json the directory is taken for a layout that was never finished.
      await host.files.remove(join(options.layout, 'index.json'));
      throw new AppError('join/invalid', 'upstream', `the joined layout is broken: ${problem.problem}`, {
        where: { file: options.layout },
        found: problem.at,
      });
    }
    await beginEvidence(host, await openBuilt(host, options.layout), plan, {
      builds: parts.flatMap((part) => part.builds),
      runs: parts.flatMap((part) => part.runs),
    });
    return index;
  } finally {
    await lock.release();
  }
}
