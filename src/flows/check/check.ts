import {
  formatBytes,
  parseImageRef,
  type Finding,
  type Picture,
  type ImagePlatform,
  type Profile,
  type Waiver,
} from '../../core/index.ts';
import { collectorsFor, evaluate, ruleInfos, type Evaluation } from '../../contract/index.ts';
import type { Host } from '../../host/index.ts';
import { probeRules, type ProbeReport } from '../../probe/index.ts';
import type { ImageSource } from '../../oci/index.ts';
import type { Registry } from '../../registry/index.ts';
import type { Report } from '../../report/index.ts';
import { baseFacts } from './base-facts.ts';
import { loadContract, ownDefinition, readWaiverFile, variantOf } from './definitions.ts';
import { probeImage, type ProbeDepth } from './run.ts';
import { notChecked, notCheckedRule } from './not-checked.ts';
import { openImage, type CheckedImage } from './source.ts';

export interface CheckOptions {
  readonly root: string;
  /** With a transport, as skopeo writes it, or one that is open already. */
  readonly image: string | ImageSource;
  readonly registry: Registry;
  readonly profile?: Profile | undefined;
  readonly derivedFrom?: 'standard' | 'openshell' | undefined;
  readonly platforms?: readonly ImagePlatform[] | undefined;
  /** Base reference by digest, instead of what the image's labels say. */
  readonly base?: string | undefined;
  /** Waiver files, beside those that the project's own image.yaml holds. */
  readonly waivers?: readonly string[] | undefined;
  /** Waiver files of what the image is made from: not reported when nothing uses them. */
  readonly inheritedWaivers?: readonly string[] | undefined;
  readonly strictVersion?: boolean | undefined;
  /** `suite`: the whole conformance suite; `health`: start it and wait for /health. */
  readonly run?: ProbeDepth | undefined;
  /** Start nothing when the layers alone break the contract: a gate is closed already then. */
  readonly staticFirst?: boolean | undefined;
  readonly dockerHost?: string | undefined;
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
  const image = await openImage(host, options.image, options);
  try {
    return await checkOpened(host, image, options);
  } finally {
    await image.close();
  }
}

async function checkOpened(host: Host, image: CheckedImage, options: CheckOptions): Promise<CheckResult> {
  const { root, registry } = options;
  const contract = await loadContract(host, root);
  const task = host.progress.task(`reading ${image.name}`);
  const pictures = await image.pictures(collectorsFor(contract), options.platforms).catch((error: unknown) => {
    task.fail();
    throw error;
  });
  const bytes = pictures.flatMap(({ layers }) => layers).reduce((sum, layer) => sum + layer.size, 0);
  task.done(`${pictures.length} platforms, ${formatBytes(bytes)} of layers`);
  const own = options.profile === 'custom' ? undefined : await ownDefinition(host, root, variantOf(pictures[0]));
  const profile = options.profile ?? own?.profile ?? 'custom';
  const given = options.base === undefined ? undefined : parseImageRef(options.base);
  const waivers = [...(own?.waivers ?? []), ...(await waiversOf(host, options))];
  const evaluation = evaluate({
    pictures,
    profile,
    contract,
    waivers,
    base: await baseFacts(host, registry, pictures, given),
    now: host.clock.now(),
    strictVersion: options.strictVersion === true,
    derivedFrom: options.derivedFrom,
  });
  const closed = options.staticFirst === true && evaluation.summary.counts.error > 0;
  const probes =
    options.run === undefined || closed
      ? []
      : await probeImage(host, image, pictures, { ...options, profile, depth: options.run });
  const findings: Finding[] = [
    ...evaluation.findings,
    ...image.others.map(notChecked),
    ...probes.flatMap((probe) => probe.findings),
  ];
  const report: Report = {
    command: 'check',
    version: options.version,
    rules: [...ruleInfos, notCheckedRule, ...(options.run === undefined ? [] : Object.values(probeRules))],
    findings,
    subjects: [image.name],
    artifact: own?.dockerfile ?? 'Dockerfile',
  };
  return { report, evaluation, pictures, probes };
}

async function waiversOf(host: Host, options: CheckOptions): Promise<readonly Waiver[]> {
  const read = async (files: readonly string[] = []) =>
    (await Promise.all(files.map((file) => readWaiverFile(host, file)))).flat();
  const inherited = await read(options.inheritedWaivers);
  return [...(await read(options.waivers)), ...inherited.map((waiver) => ({ ...waiver, inherited: true }))];
}
