/** What a request needs on one repository. */
export interface Scope {
  readonly name: string;
  readonly actions: readonly ('pull' | 'push' | 'delete')[];
}

/** pull, push and remove are the scopes that a token is requested for (distribution: docs/spec/auth/scope). */
export const pull = (name: string): Scope => ({ name, actions: ['pull'] });
export const push = (name: string): Scope => ({ name, actions: ['pull', 'push'] });
export const remove = (name: string): Scope => ({ name, actions: ['delete', 'pull'] });

/** formatScopes returns `repository:<name>:<actions>`, sorted, one per repository. */
export function formatScopes(scopes: readonly Scope[]): string[] {
  const byName = new Map<string, Set<string>>();
  for (const { name, actions } of scopes) byName.set(name, new Set([...(byName.get(name) ?? []), ...actions]));
  return [...byName].map(([name, actions]) => `repository:${name}:${[...actions].sort().join(',')}`).sort();
}

/** covers: every scope wanted is among those held (a push token also pulls). */
export function covers(held: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((text) => {
    const [, name, actions = ''] = /^repository:(.*):([^:]*)$/.exec(text) ?? [];
    return held.some((other) => {
      const [, otherName, otherActions = ''] = /^repository:(.*):([^:]*)$/.exec(other) ?? [];
      return name === otherName && actions.split(',').every((action) => otherActions.split(',').includes(action));
    });
  });
}
