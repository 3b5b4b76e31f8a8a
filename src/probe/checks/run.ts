import type { Finding } from '../../core/index.ts';
import { isKnown, problemsOf } from '../agui.ts';
import { isEventStream, openRun, readRun, reason, within } from '../client.ts';
import { discard } from '../discard.ts';
import { finding } from '../rules.ts';
import type { Check, Probe } from '../types.ts';
import { urlOf } from './url.ts';

/** One run that is not interrupted. Without a model it ends in RUN_ERROR, which is well-formed, too. */
export const run: Check = {
  id: 'run-stream',
  check: (probe) =>
    within(probe, 2 * probe.settings.requestTimeout, async (signal) => {
      const thread = `probe-${probe.run}-run`;
      try {
        const response = await openRun(probe, urlOf(probe), thread, 'Say hello.', signal);
        if (response.status !== 200 || !isEventStream(response)) {
          discard(response.body);
          return [
            stream(probe, `status ${response.status}, ${response.headers.get('content-type') ?? 'no content type'}`),
          ];
        }
        const { events, problems } = await readRun(response.body);
        probe.signal.throwIfAborted();
        const unknown = new Set(events.map((event) => event.type).filter((type) => !isKnown(type)));
        return [...new Set([...problems, ...problemsOf(events, thread)])]
          .map((problem) =>
            finding(probe.settings, 'run-events', 'POST /', 'RUN_STARTED … RUN_FINISHED or RUN_ERROR', problem),
          )
          .concat(
            [...unknown].map((type) =>
              finding(probe.settings, 'unknown-event', `POST / ${type}`, 'a type of AG-UI', type.slice(0, 80)),
            ),
          );
      } catch (error) {
        probe.signal.throwIfAborted();
        if (error instanceof Error && error.name === 'Unobserved') throw error;
        return [stream(probe, `no answer (${reason(error)})`)];
      }
    }),
};

function stream(probe: Probe, found: string): Finding {
  return finding(probe.settings, 'run-stream', 'POST /', 'status 200, text/event-stream', found);
}
