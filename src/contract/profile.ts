import {
  labelNames,
  type Contract,
  type LabelSpec,
  type Picture,
  type Profile,
  type ProfileSpec,
} from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { BaseFacts, ProfileChoice } from './context.ts';
import { matchesGlob } from './glob.ts';

/** ResolvedProfile is a profile with its derivation settled. */
export interface ResolvedProfile extends ProfileSpec {
  readonly name: Profile;
  /** The published profile behind `custom`; the profile itself otherwise. */
  readonly family: Exclude<Profile, 'custom'>;
  readonly derived: boolean;
}

const families = ['standard', 'openshell'] as const;

/** familyOf reads which published image an image derives from: as chosen, else by the variant label. */
function familyOf(contract: Contract, choice: ProfileChoice, picture: Picture): (typeof families)[number] {
  if (choice.derivedFrom !== undefined) return choice.derivedFrom;
  const label = picture.config.config?.Labels?.[labelNames.variant];
  const found = families.find((name) =>
    contract.profiles[name].variants.some((glob) => label !== undefined && matchesGlob(glob, label)),
  );
  if (found !== undefined) return found;
  throw new AppError('contract/profile', 'usage', 'unknown which published image this one derives from', {
    expected: `label ${labelNames.variant} with a variant of ${families.join(' or ')}`,
    found: label === undefined ? 'no such label' : JSON.stringify(label.slice(0, 100)),
    hint: 'build FROM a published runner image, or say --derived-from standard|openshell',
  });
}

function merged(own: readonly LabelSpec[], more: readonly LabelSpec[]): LabelSpec[] {
  return [...own.filter(({ name }) => !more.some((label) => label.name === name)), ...more];
}

/**
 * resolveProfile settles which parameters hold for an image. A derived image keeps its family's
 * parameters, sets none of the contract's variables and describes itself. Throws `contract/profile`.
 */
export function resolveProfile(
  contract: Contract,
  choice: ProfileChoice,
  picture: Picture,
  base?: BaseFacts,
): ResolvedProfile {
  if (choice.profile !== 'custom') {
    return { ...contract.profiles[choice.profile], name: choice.profile, family: choice.profile, derived: false };
  }
  const family = familyOf(contract, choice, picture);
  const { custom } = contract.profiles;
  const spec = contract.profiles[family];
  const baseSize = picture.layers
    .slice(0, base?.config.rootfs.diff_ids.length ?? 0)
    .reduce((sum, layer) => sum + layer.size, 0);
  return {
    ...spec,
    name: 'custom',
    family,
    derived: true,
    provides: [],
    labels: merged(spec.labels, custom.labels),
    ownLabels: custom.ownLabels,
    size: {
      compressed: (base === undefined ? spec.size.compressed : baseSize) + custom.size.added,
      wasted: spec.size.wasted + custom.size.wasted,
    },
  };
}
