import type { Mirrors, Pin } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import type { BumpablePin } from '../../pins/bump/index.ts';
import { Gate } from '../../registry/gate.ts';
import { createRegistry } from '../../registry/index.ts';
import { Answers } from './answers.ts';
import type { Resolver, Sources } from './resolver.ts';
import type { TrustSources } from '../trust/policy-file.ts';
import { Web } from './web.ts';

/** makeSources builds what resolvers ask; answers are shared, and an error is every asker's error. */
export function makeSources(
  host: Host,
  root: string,
  mirrors: Mirrors,
  pins: ReadonlyMap<string, Pin>,
  trust: TrustSources = { online: async () => (await import('../trust/online-root.ts')).onlineRoot(host) },
): Sources {
  const asked = new Map<string, Promise<unknown>>();
  const answers = Answers.of(host);
  return {
    ...(answers === undefined ? {} : { answers }),
    host,
    root,
    mirrors,
    trust,
    pins: new Map([...pins].filter((entry): entry is [string, BumpablePin] => entry[1].kind !== 'rpms')),
    registry: createRegistry(host, { mirrors, ...(answers === undefined ? {} : { pages: answers }) }),
    web: new Web(host, mirrors, answers),
    commands: new Gate(4, host.clock),
    once<T>(key: string, ask: () => Promise<T>): Promise<T> {
      const known = asked.get(key) as Promise<T> | undefined;
      if (known !== undefined) return known;
      const asking = ask();
      asked.set(key, asking);
      return asking;
    },
  };
}

/** resolverOf gives the resolver of a pin's kind; each is loaded when the first pin of its kind is judged. */
export async function resolverOf(sources: Sources, pin: BumpablePin): Promise<Resolver<BumpablePin>> {
  const pick = async (): Promise<unknown> => {
    switch (pin.kind) {
      case 'image':
        return (await import('./resolve-image.ts')).imageResolver(sources);
      case 'release':
        return (await import('./resolve-release.ts')).releaseResolver(sources);
      case 'npm':
        return (await import('./resolve-npm.ts')).npmResolver(sources);
      case 'python':
        return (await import('./resolve-python.ts')).pythonResolver(sources);
      case 'git':
        return (await import('./resolve-git.ts')).gitResolver(sources);
      case 'action':
        return (await import('./resolve-git.ts')).actionResolver(sources);
    }
  };
  // Each resolver takes the pins of the kind that chose it.
  return (await pick()) as Resolver<BumpablePin>;
}
