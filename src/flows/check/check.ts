import { parseImageRef, type Finding, type Picture, type Platform, type Profile } from '../../core/index.ts';
import { collectorsFor, evaluate, ruleInfos, type Evaluation } from '../../contract/index.ts';
import type { Host } from '../../host/index.ts';
import { walkSource, type ImageSource } from '../../oci/index.ts';
import { probeRules, type ProbeReport } from '../../probe/index.ts';
import type { Registry } from '../../registry/index.ts';
import type { Report } from '../../report/index.ts';
import { baseFacts } from './base-facts.ts';
import { loadContract, ownDefinition, readWaiverFile, variantOf } from './definitions.ts';
import { probeSource, type ProbeDepth } from './run.ts';
import { openSource } from './source.ts';

export interface CheckOptions {
  readonly root: string;
  /** With a transport, as skopeo writes it. */
  readonly image: string;
  readonly registry: Registry;
  readonly profile?: Profile;
  readonly derivedFrom?: 'standard' | 'openshell';
  readonly platforms?: readonly Platform[];
  /** Base reference by digest, instead of what the image's labels say. */
  readonly base?: string;
  /** Waiver files, beside those that the project's own image.yaml holds. */
  readonly waivers?: readonly string[];
  readonly strictVersion?: boolean;
  /** `suite`: the whole conformance suite; `health`: start it and wait for /health. */
  readonly run?: ProbeDepth;
  readonly dockerHost?: string;
  readonly version: string;
}

export interface CheckResult {
  readonly report: Report;
  readonly evaluation: Evaluation;
  readonly pictures: readonly Picture[];
  readonly probes: readonly ProbeReport[];
}

/**
 * checkImage holds an image, every platform of it, against the contract: one pass over the layers, and
 * where asked a started container. It never throws for a broken contract; findings tell it.
 */
export async function checkImage(host: Host, options: CheckOptions): Promise<CheckResult> {
  const source = await openSource(host, options.image, options);
  try {
    return await checkSource(host, source, options);
  } finally {
    await source.close();
  }
}

export async function checkSource(host: Host, source: ImageSource, options: CheckOptions): Promise<CheckResult> {
  const { root, registry } = options;
  const contract = await loadContract(host, root);
  const task = host.story.task(`reading ${source.name}`);
  const pictures = await walkSource(source, {
    collectors: collectorsFor(contract),
    ...(options.platforms === undefined ? {} : { platforms: options.platforms }),
  }).catch((error: unknown) => {
    task.fail();
    throw error;
  });
  const bytes = pictures.flatMap(({ layers }) => layers).reduce((sum, layer) => sum + layer.size, 0);
  task.done(`${pictures.length} platforms, ${(bytes / 1e6).toFixed(0)} MB of layers`);
  const own = options.profile === 'custom' ? undefined : await ownDefinition(host, root, variantOf(pictures[0]));
  const profile = options.profile ?? own?.profile ?? 'custom';
  const given = options.base === undefined ? undefined : parseImageRef(options.base);
  const files = await Promise.all((options.waivers ?? []).map((file) => readWaiverFile(host, file)));
  const waivers = [...(own?.waivers ?? []), ...files.flat()];
  const evaluation = evaluate({
    pictures,
    profile,
    contract,
    waivers,
    base: await baseFacts(host, registry, pictures, given),
    now: host.clock.now(),
    strictVersion: options.strictVersion === true,
    ...(options.derivedFrom === undefined ? {} : { derivedFrom: options.derivedFrom }),
  });
  const probes =
    options.run === undefined
      ? []
      : await probeSource(host, source, pictures, { ...options, profile, depth: options.run });
  const findings: Finding[] = [...evaluation.findings, ...probes.flatMap((probe) => probe.findings)];
  const report: Report = {
    command: 'check',
    version: options.version,
    rules: [...ruleInfos, ...(options.run === undefined ? [] : Object.values(probeRules))],
    findings,
    subjects: [source.name],
    artifact: own?.dockerfile ?? 'Dockerfile',
  };
  return { report, evaluation, pictures, probes };
}
