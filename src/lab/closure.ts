import { AppError } from '../errors/index.ts';
import type { Deb } from './apt.ts';

/**
 * closure walks Depends inside a solved set: where a package offers alternatives, the one that
 * apt put into the set is the one that counts. Throws `lab/closure` for a name outside the set.
 */
export function closure(set: ReadonlyMap<string, Deb>, names: readonly string[]): Deb[] {
  const providers = new Map<string, string>();
  for (const deb of set.values()) for (const name of deb.provides) providers.set(name, providers.get(name) ?? deb.name);
  const find = (name: string): Deb | undefined => set.get(name) ?? set.get(providers.get(name) ?? '');
  const taken = new Map<string, Deb>();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const deb = find(name);
    if (deb === undefined)
      throw new AppError('lab/closure', 'machine', `no package ${name} in the lab's set`, {
        hint: 'add it to src/lab/packages.ts, or remove the cache with runner-image lab down --cache',
      });
    if (taken.has(deb.name)) continue;
    taken.set(deb.name, deb);
    for (const group of deb.depends) {
      const choice = group.map(find).find((candidate) => candidate !== undefined);
      if (choice !== undefined) queue.push(choice.name);
    }
  }
  return [...taken.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
