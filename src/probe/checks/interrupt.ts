import { endsRun } from '../agui.ts';
import { askJson, openRun, readRun, reason, within } from '../client.ts';
import { finding } from '../rules.ts';
import { Unobserved, type Check } from '../types.ts';
import { urlOf } from './url.ts';

/** Long for a model, and for the lab's runner, which reads `slow:<seconds>`. */
const longTask = 'slow:60 Count to one million, one number a line.';

/** The run must be going when it is interrupted: one that ended by itself proves nothing. */
export const interrupt: Check = {
  id: 'interrupt',
  check: (probe) =>
    within(probe, 2 * probe.settings.requestTimeout, async (signal) => {
      const thread = `probe-${probe.run}-interrupt`;
      const subject = 'POST /interrupt';
      const url = urlOf(probe);
      const response = await openRun(probe, url, thread, longTask, signal).catch((error: unknown) => reason(error));
      probe.signal.throwIfAborted();
      if (typeof response === 'string') throw new Unobserved(`POST / gave no answer (${response})`);
      let interrupted: Promise<string | undefined> | undefined;
      let seen = 0;
      const reading = readRun(response.body, (event) => {
        seen += 1;
        // The second event shows that the agent is at work, not only that the request arrived.
        if (!endsRun(event.type) && seen >= 2) interrupted ??= halt();
        return false;
      });
      const halt = async (): Promise<string | undefined> => {
        try {
          const { status } = await askJson(probe, url, '/interrupt', { thread_id: thread });
          return status >= 200 && status < 300 ? undefined : `status ${status}`;
        } catch (error) {
          return `no answer (${reason(error)})`;
        }
      };
      const { events, ended } = await reading;
      probe.signal.throwIfAborted();
      if (interrupted === undefined) {
        const found = events.map((event) => event.type).join(', ');
        throw new Unobserved(
          `the run ended before it could be interrupted (${found === '' ? 'no event' : found}): no agent works without a model`,
        );
      }
      const refused = await interrupted;
      if (refused !== undefined) return [finding(probe.settings, 'interrupt', subject, 'status 2xx', refused)];
      if (ended || events.some((event) => endsRun(event.type))) return [];
      const limit = `${(2 * probe.settings.requestTimeout) / 1000} s`;
      return [
        finding(
          probe.settings,
          'interrupt',
          subject,
          `the run of the thread to end within ${limit}`,
          'a run that went on',
        ),
      ];
    }),
};
