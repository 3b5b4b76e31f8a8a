/** Equivalent is a mutant that no test can notice, and why. */
export interface Equivalent {
  readonly file: string;
  /** What stands in the line that is changed. */
  readonly line: string;
  /** What is put there instead; every replacement when left out. */
  readonly replacement?: string;
  readonly reason: string;
}

export const equivalent: readonly Equivalent[] = [
  {
    file: 'src/sigstore/verify.ts',
    line: 'if (signatures.length !== 1)',
    reason: '@sigstore/bundle refuses an envelope of none or several signatures when it reads the bundle',
  },
  {
    file: 'src/evidence/schema.ts',
    line: '.max(platforms.length)',
    reason: 'more items than there are platforms name one of them twice, which is refused, too',
  },
  {
    file: 'src/sigstore/verify.ts',
    line: 'signer.identity?.subjectAlternativeName !== identity.name',
    reason:
      'both names are read from one certificate, by the same parser: the second look is for the day when they are not',
  },
];
