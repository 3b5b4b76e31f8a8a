/** MutatedRoom is a part of src, the tests that have to notice a change of it, and the score that it must not fall below. */
export interface MutatedRoom {
  readonly sources: readonly string[];
  readonly tests: readonly string[];
  /** Per cent of the mutants that the tests notice, those of equivalent.ts left out. */
  readonly score: number;
}

const room = (
  name: string,
  score: number,
  tests = `test/${name}/**/*.test.ts`,
  ...more: readonly string[]
): MutatedRoom => ({
  sources: [`src/${name}/**/*.ts`],
  tests: [tests, ...more],
  score,
});

/** What decides whether something is trusted is asked for more. */
const trust = 92;
const other = 85;

export const rooms: Readonly<Record<string, MutatedRoom>> = {
  checksums: room('checksums', other),
  dockerfile: room('dockerfile', other, undefined, 'test/lint/rules.test.ts'),
  evidence: room('evidence', trust, undefined, 'test/trust/evidence.test.ts'),
  'oci-import': room('oci/import', trust, 'test/oci/*.test.ts'),
  'oci-layout': room('oci/layout', trust, 'test/oci/*layout*.test.ts', 'test/oci/limits.test.ts'),
  'oci-tar': room('oci/tar', trust, 'test/oci/**/*.test.ts'),
  registry: room('registry', trust),
  sigstore: room('sigstore', trust, undefined, 'test/trust/provenance.test.ts'),
};
