import type { Package } from './component.ts';

export interface SbomChange {
  readonly $case: 'added' | 'removed' | 'changed';
  /** `rpm/openssl`: ecosystem and name. */
  readonly subject: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/**
 * diffPackages says what came, went or changed version between two images, by ecosystem and name. A
 * name that is installed in several versions (nested npm packages) is compared as a set of versions.
 */
export function diffPackages(before: readonly Package[], after: readonly Package[]): SbomChange[] {
  const [old, fresh] = [versionsOf(before), versionsOf(after)];
  const subjects = [...new Set([...old.keys(), ...fresh.keys()])].sort();
  return subjects.flatMap((subject): SbomChange[] => {
    const [from, to] = [old.get(subject), fresh.get(subject)];
    if (from === to) return [];
    if (from === undefined) return to === undefined ? [] : [{ $case: 'added', subject, to }];
    if (to === undefined) return [{ $case: 'removed', subject, from }];
    return [{ $case: 'changed', subject, from, to }];
  });
}

function versionsOf(packages: readonly Package[]): Map<string, string> {
  const sets = new Map<string, Set<string>>();
  for (const { ecosystem, name, version } of packages) {
    const subject = `${ecosystem}/${name}`;
    sets.set(subject, (sets.get(subject) ?? new Set()).add(version));
  }
  return new Map([...sets].map(([subject, versions]) => [subject, [...versions].sort().join(', ')]));
}
