import { architectureOf, platforms, type Finding, type Pin } from '../core/index.ts';
import { finding } from './finding.ts';
import { verifyLock } from './locks.ts';
import { unlistedInputs, type VariantText } from './unlisted.ts';

export interface VerifyInput {
  /** Relative to the project. */
  readonly pinsFile: string;
  readonly pins: readonly Pin[];
  readonly variants: readonly VariantText[];
  /** Parsed package-lock.json by the name of its pin; undefined where the file is not there. */
  readonly locks: ReadonlyMap<string, unknown>;
}

function incomplete(pin: Pin, input: VerifyInput): readonly Finding[] {
  const at = { file: input.pinsFile };
  const missing = (fact: string, remediation: string): Finding =>
    finding('incomplete', 'error', pin.name, `${pin.name}: ${fact}`, remediation, at);
  if (pin.evidence.length === 0) return [missing('no evidence', 'say where its facts were learned')];
  switch (pin.kind) {
    case 'release':
      return platforms
        .filter((platform) => !(platform in pin.checksums))
        .map((platform) =>
          missing(`no checksum for ${architectureOf(platform)}`, `add the publisher's line to ${pin.checksumFile}`),
        );
    case 'npm': {
      const lock = input.locks.get(pin.name);
      if (lock === undefined)
        return [missing(`${pin.lock}/package-lock.json is missing`, `runner-image bump ${pin.name}`)];
      return verifyLock(pin, lock);
    }
    case 'image': {
      const noted = pin.absent.some(({ fact }) => fact.includes('per-platform'));
      return noted || platforms.every((platform) => platform in pin.platforms)
        ? []
        : [
            missing(
              'per-platform digests are neither known nor noted as absent',
              'record them, or the reason under `absent`',
            ),
          ];
    }
    case 'rpms':
    case 'python':
    case 'git':
    case 'action':
      return [];
  }
}

/** usedBy returns the variants that consume a pin, also through another pin (the base of RPMs). */
export function usedBy(pin: Pin, variants: readonly VariantText[]): readonly string[] {
  return variants.filter(({ pins }) => pins.some(({ name }) => name === pin.name)).map(({ variant }) => variant);
}

function unused(pin: Pin, input: VerifyInput): readonly Finding[] {
  // Actions are consumed by workflows, which no Dockerfile shows.
  if (pin.kind === 'action' || usedBy(pin, input.variants).length > 0) return [];
  return [
    finding('unused', 'error', pin.name, `${pin.name}: no variant consumes it`, 'take it in a fragment, or remove it', {
      file: input.pinsFile,
    }),
  ];
}

function absent(pin: Pin, input: VerifyInput): readonly Finding[] {
  return pin.absent.map(({ fact, reason }) =>
    finding(
      'absent',
      'note',
      `${pin.name}: ${fact}`,
      `${pin.name}: ${fact} not known: ${reason}`,
      'nothing; record it once it is observed',
      {
        file: input.pinsFile,
      },
    ),
  );
}

/**
 * verifyPins proves three things without network: each pin is complete, each is consumed by a
 * variant, and no variant takes anything that no pin explains. What is known to be absent is reported
 * as a note and fails nothing.
 */
export function verifyPins(input: VerifyInput): readonly Finding[] {
  return [
    ...input.pins.flatMap((pin) => [...incomplete(pin, input), ...unused(pin, input), ...absent(pin, input)]),
    ...input.variants.flatMap(unlistedInputs),
  ];
}
