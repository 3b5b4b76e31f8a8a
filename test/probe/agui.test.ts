import { expect, test } from 'vitest';
import { isKnown, parseEvent, problemsOf, type AguiEvent } from '../../src/probe/agui.ts';

const event = (type: string, fields: Record<string, unknown> = {}): AguiEvent => {
  const parsed = parseEvent(JSON.stringify({ type, ...fields }));
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
};
const ids = { threadId: 't', runId: 'r' };
const around = (...events: readonly AguiEvent[]): readonly string[] =>
  problemsOf([event('RUN_STARTED', ids), ...events, event('RUN_FINISHED', ids)], 't');

test.each([
  ['RUN_STARTED', true],
  ['SUBAGENT_STARTED', true],
  ['SUBAGENT_FINISHED', true],
  ['SUBAGENT_ERROR', true],
  ['THINKING_TEXT_MESSAGE_CONTENT', true],
  ['THINKING_SURPRISE', false],
  ['SURPRISE', false],
  ['constructor', false],
])('%s is a type of AG-UI: %s', (type, known) => {
  expect(isKnown(type)).toBe(known);
});

test.each([
  [
    'a tool’s answer in parts',
    'TOOL_CALL_RESULT',
    { messageId: 'm', toolCallId: 'c', content: [{ type: 'text', text: 'x' }] },
  ],
  ['optional members that are null', 'STEP_STARTED', { stepName: 's', timestamp: null, rawEvent: null }],
  ['a state that is null', 'STATE_SNAPSHOT', { snapshot: null }],
  ['a role of an earlier version', 'REASONING_MESSAGE_START', { messageId: 'm', role: 'assistant' }],
  ['members that AG-UI does not know', 'RAW', { event: {}, more: 1 }],
])('%s: well-formed', (_name, type, fields) => {
  expect(around(event(type, fields))).toEqual([]);
});

test.each([
  ['STEP_STARTED', {}, 'STEP_STARTED with a wrong stepName'],
  ['STEP_STARTED', { stepName: 1 }, 'STEP_STARTED with a wrong stepName'],
  ['STATE_SNAPSHOT', {}, 'STATE_SNAPSHOT with a wrong snapshot'],
  ['STATE_DELTA', { delta: {} }, 'STATE_DELTA with a wrong delta'],
  ['SUBAGENT_STARTED', {}, 'SUBAGENT_STARTED with a wrong subagentRunId'],
])('%s with %j is malformed', (type, fields, problem) => {
  expect(around(event(type, fields)).join('\n')).toContain(problem);
});

test('a message is opened once, filled while open, and closed', () => {
  const content = event('TEXT_MESSAGE_CONTENT', { messageId: 'm', delta: 'x' });
  const start = event('TEXT_MESSAGE_START', { messageId: 'm', role: 'assistant' });
  expect(around(content)).toEqual(['TEXT_MESSAGE_CONTENT of TEXT_MESSAGE m before its start']);
  expect(around(start, start, content)).toEqual([
    'TEXT_MESSAGE_START of TEXT_MESSAGE m twice',
    'TEXT_MESSAGE m still open at RUN_FINISHED',
  ]);
});

test('a run begins and ends as its own', () => {
  expect(problemsOf([], 't')).toEqual(['no event at all']);
  expect(problemsOf([event('RUN_STARTED', ids)], 'other')).toEqual([
    'RUN_STARTED for another thread than other',
    'neither RUN_FINISHED nor RUN_ERROR',
  ]);
  expect(problemsOf([event('RUN_ERROR', { message: 'no model' })], 't')).toEqual([]);
});
