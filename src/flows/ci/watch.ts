import type { Mirrors, Waiver } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import { verifyOnline } from '../bump/index.ts';
import { generate } from '../generate.ts';
import { checkPins } from '../pins.ts';
import { loadDefinitions } from '../plan.ts';

/** Concern is one thing that a person has to look at, in one line. */
export interface Concern {
  readonly rule: string;
  readonly subject: string;
  readonly message: string;
}

const day = 86_400_000;
const warningDays = 30;

/** A waiver holds to the end of its last day, UTC. */
function ending(waiver: Waiver, now: Date): Concern[] {
  const left = (Date.parse(`${waiver.expires}T00:00:00Z`) + day - now.getTime()) / day;
  if (left > warningDays) return [];
  const { rule, subject, owner, expires } = waiver;
  const message =
    left > 0
      ? `holds until ${expires}, ${Math.ceil(left)} more days (${owner})`
      : `held until ${expires}: it excuses nothing any more, and the next gate stays closed (${owner})`;
  return [{ rule: 'watch/waiver', subject: `${rule} ${subject}`, message }];
}

/**
 * watchConcerns looks for what changes though the repository does not (waivers run out), and for what
 * must not have got in (incomplete or unused pins, generated files out of date). It asks no upstream.
 */
export async function watchConcerns(host: Host, root: string): Promise<readonly Concern[]> {
  const definitions = await loadDefinitions(host, root);
  const { findings } = await checkPins(host, { root });
  const { changes } = await generate(host, { root, check: true });
  return [
    ...findings
      .filter(({ severity }) => severity === 'error')
      .map(({ rule, subject, message }) => ({ rule, subject, message })),
    ...changes.map(({ path, kind }) => ({
      rule: 'watch/generated',
      subject: path,
      message: `${kind}: runner-image generate`,
    })),
    ...definitions.images.flatMap(({ waivers }) => waivers.flatMap((waiver) => ending(waiver, host.clock.now()))),
  ];
}

/** Watched is what upstreams said today; `unknown` is neither good news nor bad, and never passes for either. */
export interface Watched {
  readonly concerns: readonly Concern[];
  readonly unknown: readonly Concern[];
}

/** watchUpstreams asks whether every pin's bytes are still there and still the same. */
export async function watchUpstreams(host: Host, root: string, mirrors: Mirrors): Promise<Watched> {
  const { findings } = await verifyOnline(host, { root, mirrors });
  const errors = findings
    .filter(({ severity }) => severity === 'error')
    .map(({ rule, subject, message }) => ({ rule, subject, message }));
  const isUnknown = ({ rule }: Concern): boolean => rule === 'pins/could-not-tell';
  return { concerns: errors.filter((one) => !isUnknown(one)), unknown: errors.filter(isUnknown) };
}
