import type { Plan } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import { about, loadEvidence, otherImages, requirePassed, type Filed } from '../../evidence/index.ts';
import type { Host } from '../../host/index.ts';
import type { BuiltLayout } from '../built.ts';
import type { CheckOptions } from '../check/index.ts';

/** How an image gets through the gate. */
export type Gating =
  /** Here: the contract on every platform, and every platform started. */
  | { readonly $case: 'start'; readonly check: GateCheck }
  /** The contract here; what was seen of the started platforms is in the evidence (`check --run --evidence`). */
  | { readonly $case: 'recorded-runs'; readonly check: GateCheck }
  /** It passed on another machine: this file says so. */
  | { readonly $case: 'recorded'; readonly evidence: string }
  /** It passed elsewhere, says the caller. */
  | { readonly $case: 'skipped' };

export type GateCheck = Omit<CheckOptions, 'image' | 'run' | 'staticFirst'>;

/**
 * passGate lets an image through and returns its evidence, with what the gate saw; that is written down also when
 * the gate stays closed. Throws `publish/gate` (exit 1), `publish/not-gated`, and what requirePassed throws.
 */
export async function passGate(
  host: Host,
  image: BuiltLayout,
  plan: Plan,
  filed: Filed,
  gating: Gating,
): Promise<Filed> {
  switch (gating.$case) {
    case 'start':
    case 'recorded-runs': {
      // Contract and probe take 45 ms to load: an unchanged push of 0.22 s, whose aim is 0.25 s, does not need them.
      const { holdAgainstGate } = await import('./hold.ts');
      return await holdAgainstGate(host, image, filed, gating);
    }
    case 'recorded':
      refuseClosed(filed);
      return await passedElsewhere(host, image, plan, gating.evidence);
    case 'skipped':
      refuseClosed(filed);
      return filed;
  }
}

/** The evidence that was handed over is the one that later steps extend. */
async function passedElsewhere(
  host: Host,
  { digest, platforms }: BuiltLayout,
  { variant }: Plan,
  file: string,
): Promise<Filed> {
  const handed = about(await loadEvidence(host, file), digest);
  requirePassed(handed);
  const other = otherImages(handed.evidence, platforms);
  if (other.length > 0)
    throw new AppError('publish/not-gated', 'findings', 'the evidence is about other images', {
      expected: platforms.map(({ platform, manifest }) => `${platform} ${manifest}`).join(', '),
      found: other.join('; '),
      where: { file },
    });
  if (handed.evidence.variant === variant) return handed;
  throw new AppError('publish/not-gated', 'findings', 'the evidence is about another variant', {
    expected: variant,
    found: handed.evidence.variant,
    where: { file },
  });
}

/** A caller who says that the gate was passed elsewhere is not believed over what was seen here. */
function refuseClosed({ file, evidence: { gate } }: Filed): void {
  if (gate?.passed !== false) return;
  throw new AppError('publish/gate', 'findings', 'the gate was closed to this very image; nothing was pushed', {
    expected: 'no error on any platform',
    found: gate.broken.join('; '),
    where: { file },
    hint: 'publish without --skip-gate to hold it against the gate again',
  });
}
