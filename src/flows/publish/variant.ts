import type { Plan } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import {
  gateEvidence,
  openEvidence,
  withGate,
  withPublication,
  writeEvidence,
  type Evidence,
  type Filed,
} from '../evidence/index.ts';
import { requirePlatforms } from './complete.ts';
import type { GateOptions } from './gate.ts';
import { publishLayout, type Published, type PublishOptions } from './publish.ts';

export interface PublishVariantOptions extends Omit<PublishOptions, 'gate'> {
  readonly plan: Plan;
  /** Absent: the gate was passed elsewhere, and no evidence of it is written here. */
  readonly gate?: Omit<GateOptions, 'image' | 'registry' | 'onResult'> | undefined;
}

export interface PublishedVariant extends Published {
  readonly evidence: Evidence;
  readonly evidenceFile: string;
}

/** gateLayout holds a layout against the gate and writes down what was seen, also when it closes. */
export async function gateLayout(
  host: Host,
  options: Pick<PublishVariantOptions, 'plan' | 'layout' | 'registry'> & {
    readonly gate: NonNullable<PublishVariantOptions['gate']>;
  },
): Promise<void> {
  const { plan, layout, registry } = options;
  await requirePlatforms(host, layout, plan);
  const { file, evidence } = await openEvidence(host, layout, plan);
  // The contract and the probe are loaded when they are needed: an unchanged push is done before they would be.
  const { gate } = await import('./gate.ts');
  await gate(host, {
    ...options.gate,
    image: { $case: 'oci', path: layout },
    registry,
    onResult: async (result) => {
      await writeEvidence(host, file, withGate(evidence, gateEvidence(result, host.clock.now())));
    },
  });
}

/** Whoever says that the gate was passed elsewhere is not believed over what was seen here. */
function refuseClosed({ file, evidence: { gate: seen } }: Filed): void {
  if (seen?.passed !== false) return;
  throw new AppError('publish/gate', 'findings', 'the gate was closed to this very image; nothing was pushed', {
    expected: 'no error on any platform',
    found: seen.broken.join(', '),
    where: { file },
    hint: 'publish without --skip-gate to hold it against the gate again',
  });
}

/**
 * publishVariant is publishLayout with evidence: what the gate saw is written before the first byte leaves, where
 * the index went after the tags moved. Throws what publishLayout throws, `publish/gate`,
 * `publish/incomplete`, `evidence/other-inputs`.
 */
export async function publishVariant(host: Host, options: PublishVariantOptions): Promise<PublishedVariant> {
  const { plan, gate: gating, ...rest } = options;
  await requirePlatforms(host, options.layout, plan);
  // Before anything leaves: a layout of other inputs is refused, not found out afterwards.
  const before = await openEvidence(host, options.layout, plan);
  if (gating === undefined) refuseClosed(before);
  const published = await publishLayout(host, {
    ...rest,
    gate: gating === undefined ? undefined : () => gateLayout(host, { ...options, gate: gating }),
  });
  // The gate has written what it saw into it.
  const { file, evidence } = gating === undefined ? before : await openEvidence(host, options.layout, plan);
  const complete = withPublication(evidence, published, host.clock.now());
  await writeEvidence(host, file, complete);
  return { ...published, evidence: complete, evidenceFile: file };
}
