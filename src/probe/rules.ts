import type { Finding, RuleInfo } from '../core/index.ts';
import type { Settings } from './types.ts';

const rule = (id: string, section: string, summary: string, remediation: string): RuleInfo => ({
  id: `probe/${id}`,
  severity: 'error',
  section: `3.${section}`,
  summary,
  remediation,
});

/** rules is the table of everything that the probe can find. Sections are the contract's: `4` is 3.4. */
export const rules: readonly RuleInfo[] = [
  rule(
    'startup',
    '4',
    'the runner is healthy within the start-up timeout',
    'read the log in the message; start the image by hand with the same user and variables',
  ),
  rule('health', '1', 'GET /health answers 200 with JSON', 'serve /health as the base image does'),
  rule(
    'capabilities',
    '1',
    'GET /capabilities answers 200 with the documented members',
    'serve /capabilities as the base image does',
  ),
  rule(
    'run-stream',
    '1',
    'POST / answers with server-sent events',
    'serve POST / as text/event-stream and flush each event',
  ),
  rule(
    'run-events',
    '1',
    'a run is a well-formed sequence of AG-UI events',
    'send RUN_STARTED first, RUN_FINISHED or RUN_ERROR last, and each event with its required members',
  ),
  {
    ...rule('unknown-event', '1', 'events are of types that AG-UI knows', 'use CUSTOM or RAW for events of your own'),
    severity: 'warning',
  },
  rule(
    'events-stream',
    '1',
    'GET /events/{thread_id} streams server-sent events',
    'serve /events/{thread_id} as the base image does',
  ),
  rule('interrupt', '1', 'POST /interrupt halts a run', 'end the run and its stream when /interrupt names its thread'),
  rule(
    'agui-port',
    '1',
    'AG-UI is served on AGUI_PORT',
    'take the port from AGUI_PORT when the container starts, not from a constant',
  ),
  rule(
    'injected-env',
    '5',
    'variables that the control plane injects reach the runner unchanged',
    'take the assignment out of the start script or the wrapper',
  ),
  rule(
    'bridge',
    '7',
    'the bridge of every supported RUNNER_TYPE loads',
    "install the bridge's module and what it imports",
  ),
  rule(
    'unknown-runner-type',
    '7',
    'an unknown RUNNER_TYPE ends with an error that names it',
    'let the runner exit with a non-zero code and print the name that it could not load',
  ),
  rule(
    'sigterm',
    '4',
    'SIGTERM reaches the runner, which exits within the grace period',
    'start the runner with exec, so that it is process 1 or its direct child',
  ),
  rule(
    'zombies',
    '4',
    'child processes are reaped',
    'wait for the processes that the runner starts, or start it under an init',
  ),
  rule(
    'logged-secret',
    '8',
    'logs hold none of the injected secrets',
    'do not print the environment; redact credentials before logging',
  ),
  {
    ...rule('unobserved', '10', 'what a check could not see', 'run the probe where the missing fact can be seen'),
    severity: 'note',
  },
];

/** finding makes a finding of a rule in the table; `message` names what was expected and found. */
export function finding(settings: Settings, id: string, subject: string, expected: string, found: string): Finding {
  const info = rules.find((one) => one.id === `probe/${id}`);
  if (info === undefined) throw new TypeError(`no rule probe/${id}`);
  return {
    rule: info.id,
    severity: info.severity,
    section: info.section,
    subject,
    message: `${subject}: expected ${expected}, found ${found}`,
    remediation: info.remediation,
    location: { $case: 'image' },
    platform: settings.platform,
  };
}
