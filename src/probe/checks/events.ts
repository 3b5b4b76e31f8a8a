import { endsRun, isKnown } from '../agui.ts';
import { isEventStream, openRun, readRun, reason, within } from '../client.ts';
import { discard } from '../discard.ts';
import { finding } from '../rules.ts';
import type { Check } from '../types.ts';
import { urlOf } from './url.ts';
import { timeLimit } from '../../core/time-limit.ts';

/**
 * GET /events/{thread_id} must answer at once, before its thread has any run: the control plane
 * opens it first, so that no event is lost. Whether a run started by POST / is heard there is the
 * bridge's own matter (the real runner feeds it from its message listener); what is heard must be
 * well-formed.
 */
export const events: Check = {
  id: 'events-stream',
  check: (probe) =>
    within(probe, probe.settings.requestTimeout, async (signal) => {
      const thread = `probe-${probe.run}-events`;
      const subject = 'GET /events/{thread_id}';
      const expected = 'status 200, text/event-stream';
      try {
        const response = await probe.host.fetch(`${urlOf(probe)}/events/${thread}`, {
          headers: { accept: 'text/event-stream' },
          signal,
          timeout: probe.settings.requestTimeout,
        });
        if (response.status !== 200 || !isEventStream(response)) {
          discard(response.body);
          const found = `status ${response.status}, ${response.headers.get('content-type') ?? 'no content type'}`;
          return [finding(probe.settings, 'events-stream', subject, expected, found)];
        }
        const quietTime = Math.ceil(probe.settings.requestTimeout / 3);
        const quiet = timeLimit(signal, quietTime);
        quiet.addEventListener('abort', () => discard(response.body), { once: true });
        const heard = readRun(response.body, (event) => endsRun(event.type));
        // How quickly POST / answers is a matter of its own check; here it is only a reason for events.
        const started = await openRun(probe, urlOf(probe), thread, 'Say hello.', quiet).catch(() => undefined);
        probe.signal.throwIfAborted();
        if (started !== undefined) await readRun(started.body);
        const { events: seen, problems } = await Promise.race([
          heard,
          probe.host.clock.sleep(Math.min(1000, quietTime), probe.signal).then(() => ({ events: [], problems: [] })),
        ]);
        discard(response.body);
        // A stream on which nothing came is what the real runner sends here; only bad data is a problem.
        return problems
          .filter((problem) => !problem.startsWith('a stream'))
          .concat(
            seen
              .filter((event) => !isKnown(event.type))
              .map((event) => `an event of unknown type ${event.type.slice(0, 80)}`),
          )
          .map((problem) => finding(probe.settings, 'events-stream', subject, 'AG-UI events', problem));
      } catch (error) {
        probe.signal.throwIfAborted();
        if (error instanceof Error && error.name === 'Unobserved') throw error;
        return [finding(probe.settings, 'events-stream', subject, expected, `no answer (${reason(error)})`)];
      }
    }),
};
