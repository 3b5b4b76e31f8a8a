import { EventType, omitOptionalNulls } from '@ag-ui/core';
import { EventSchema } from '@ag-ui/core/schemas';

export interface AguiEvent {
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** parseEvent returns the event, or a sentence that says why it is none. */
export function parseEvent(data: string): AguiEvent | string {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return `data that is not JSON: ${JSON.stringify(data.slice(0, 80))}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'an event that is no JSON object';
  const fields = value as Record<string, unknown>;
  if (typeof fields['type'] !== 'string') return 'an event without a type';
  return { type: fields['type'], fields };
}

/** Those left AG-UI with its version 1.0; runners still send them. */
const former = /^THINKING_(?:TEXT_MESSAGE_)?(?:START|CONTENT|END)$/;

/** isKnown returns whether AG-UI has, or once had, events of this type. */
export const isKnown = (type: string): boolean => Object.hasOwn(EventType, type) || former.test(type);
/** endsRun returns whether an event of this type ends a run. */
export const endsRun = (type: string): boolean => type === 'RUN_FINISHED' || type === 'RUN_ERROR';

/** Members that are missing or of another type. Which values they may have differs between versions of AG-UI. */
function malformed({ type, fields }: AguiEvent): string[] {
  if (!Object.hasOwn(EventType, type)) return [];
  const { error } = EventSchema.safeParse(omitOptionalNulls(fields, 'Event'));
  return (error?.issues ?? [])
    .filter(({ path, code }) => path.length === 1 && code !== 'invalid_value')
    .map(({ path, message }) => `${type} with a wrong ${path.join('.')} (${message})`);
}

/** problemsOf returns everything that is wrong with one run's events, in their order, one sentence each. */
export function problemsOf(events: readonly AguiEvent[], thread: string): string[] {
  const first = events[0];
  if (first === undefined) return ['no event at all'];
  const problems = events.flatMap(malformed);
  if (first.type !== 'RUN_STARTED' && first.type !== 'RUN_ERROR') problems.push(`${first.type} as the first event`);
  if (
    first.type === 'RUN_STARTED' &&
    typeof first.fields['threadId'] === 'string' &&
    first.fields['threadId'] !== thread
  )
    problems.push(`RUN_STARTED for another thread than ${thread}`);
  const end = events.findIndex((event) => endsRun(event.type));
  const after = events[end + 1];
  if (end === -1) problems.push('neither RUN_FINISHED nor RUN_ERROR');
  else if (after !== undefined) problems.push(`${after.type} after ${events[end]?.type ?? ''}`);
  return [...problems, ...pairing(events)];
}

/** Messages and tool calls: opened once, filled only while open, closed before a run that finishes. */
function pairing(events: readonly AguiEvent[]): string[] {
  const problems: string[] = [];
  const open = new Set<string>();
  for (const { type, fields } of events) {
    const [, kind, step] = /^(TEXT_MESSAGE|TOOL_CALL)_(START|CONTENT|ARGS|END)$/.exec(type) ?? [];
    if (kind === undefined) continue;
    const id = `${kind} ${String(fields[kind === 'TOOL_CALL' ? 'toolCallId' : 'messageId'])}`;
    if (step === 'START' ? open.has(id) : !open.has(id))
      problems.push(`${type} of ${id} ${step === 'START' ? 'twice' : 'before its start'}`);
    if (step === 'START') open.add(id);
    if (step === 'END') open.delete(id);
  }
  if (events.at(-1)?.type === 'RUN_FINISHED') for (const id of open) problems.push(`${id} still open at RUN_FINISHED`);
  return problems;
}
