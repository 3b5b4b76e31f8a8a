import type { Definitions, PinKind } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';

/** What is reviewed together is proposed together; RPMs float with their base and are never proposed. */
const groupOf: Readonly<Record<PinKind, string | undefined>> = {
  image: 'images',
  release: 'tools',
  python: 'tools',
  npm: 'agents',
  git: 'runner',
  action: 'actions',
  rpms: undefined,
};

/** bumpGroups gives each group that has pins, with their names, in the file's order. */
export function bumpGroups(definitions: Pick<Definitions, 'pins'>): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const { name, kind } of definitions.pins.values()) {
    const group = groupOf[kind];
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), name]);
  }
  return groups;
}

/** pinsOfGroup throws `ci/group`, naming the groups there are. */
export function pinsOfGroup(definitions: Pick<Definitions, 'pins'>, group: string): readonly string[] {
  const groups = bumpGroups(definitions);
  const found = groups.get(group);
  if (found !== undefined) return found;
  throw new AppError('ci/group', 'usage', `no group of pins is called ${JSON.stringify(group.slice(0, 80))}`, {
    expected: [...groups.keys()].join(', '),
  });
}
