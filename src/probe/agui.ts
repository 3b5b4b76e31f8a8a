/** Types of AG-UI's events and the members each must have, with their JSON types (docs.ag-ui.com, "Events"). */
const members: Readonly<Record<string, Readonly<Record<string, 'string' | 'array' | 'any'>>>> = {
  RUN_STARTED: { threadId: 'string', runId: 'string' },
  RUN_FINISHED: { threadId: 'string', runId: 'string' },
  RUN_ERROR: { message: 'string' },
  STEP_STARTED: { stepName: 'string' },
  STEP_FINISHED: { stepName: 'string' },
  TEXT_MESSAGE_START: { messageId: 'string' },
  TEXT_MESSAGE_CONTENT: { messageId: 'string', delta: 'string' },
  TEXT_MESSAGE_END: { messageId: 'string' },
  TEXT_MESSAGE_CHUNK: {},
  TOOL_CALL_START: { toolCallId: 'string', toolCallName: 'string' },
  TOOL_CALL_ARGS: { toolCallId: 'string', delta: 'string' },
  TOOL_CALL_END: { toolCallId: 'string' },
  TOOL_CALL_CHUNK: {},
  TOOL_CALL_RESULT: { toolCallId: 'string', messageId: 'string', content: 'string' },
  THINKING_START: {},
  THINKING_END: {},
  THINKING_TEXT_MESSAGE_START: {},
  THINKING_TEXT_MESSAGE_CONTENT: { delta: 'string' },
  THINKING_TEXT_MESSAGE_END: {},
  REASONING_START: { messageId: 'string' },
  REASONING_MESSAGE_START: { messageId: 'string' },
  REASONING_MESSAGE_CONTENT: { messageId: 'string', delta: 'string' },
  REASONING_MESSAGE_END: { messageId: 'string' },
  REASONING_MESSAGE_CHUNK: {},
  REASONING_END: { messageId: 'string' },
  REASONING_ENCRYPTED_VALUE: {},
  STATE_SNAPSHOT: { snapshot: 'any' },
  STATE_DELTA: { delta: 'array' },
  MESSAGES_SNAPSHOT: { messages: 'array' },
  ACTIVITY_SNAPSHOT: { messageId: 'string' },
  ACTIVITY_DELTA: { messageId: 'string' },
  RAW: { event: 'any' },
  CUSTOM: { name: 'string' },
};

export interface AguiEvent {
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** parseEvent gives the event, or a sentence that says why it is none. */
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

export const isKnown = (type: string): boolean => Object.hasOwn(members, type);
export const endsRun = (type: string): boolean => type === 'RUN_FINISHED' || type === 'RUN_ERROR';

function missing(event: AguiEvent): string[] {
  return Object.entries(members[event.type] ?? {}).flatMap(([name, type]) => {
    const value = event.fields[name];
    const right =
      type === 'any' ? value !== undefined : type === 'array' ? Array.isArray(value) : typeof value === 'string';
    return right ? [] : [`${event.type} without ${name} (${type})`];
  });
}

/** problemsOf gives everything that is wrong with one run's events, in their order, one sentence each. */
export function problemsOf(events: readonly AguiEvent[], thread: string): string[] {
  const first = events[0];
  if (first === undefined) return ['no event at all'];
  const problems = events.flatMap(missing);
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
