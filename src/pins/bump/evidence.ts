import type { Evidence } from '../../core/index.ts';

/** lostEvidence names the kinds of evidence that a pin has and would no longer have. `recorded` is hearsay and may go. */
export function lostEvidence(before: readonly Evidence[], after: readonly Evidence[]): readonly string[] {
  const kinds = new Set(after.map(({ kind }) => kind));
  const had = new Set(before.map(({ kind }) => kind).filter((kind) => kind !== 'recorded'));
  return [...had].filter((kind) => !kinds.has(kind)).sort();
}
