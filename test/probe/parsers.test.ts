import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { parseProcesses } from '../../src/probe/checks/environment.ts';
import { demultiplex } from '../../src/probe/demultiplex.ts';
import { parseStat } from '../../src/probe/docker.ts';
import { readEvents, SseLimit } from '../../src/probe/sse.ts';

async function sse(chunks: readonly (string | Buffer)[]): Promise<string[]> {
  const all: string[] = [];
  for await (const { data } of readEvents(Readable.from(chunks.map((chunk) => Buffer.from(chunk))))) all.push(data);
  return all;
}

test('events split anywhere, also inside a character and between CR and LF, are read whole', async () => {
  const bytes = Buffer.from(': beat\r\n\r\ndata: ä\r\ndata:b\r\n\r\nevent: x\ndata: c\n\ndata: unfinished');
  expect(await sse([...bytes].map((byte) => Buffer.from([byte])))).toEqual(['ä\nb', 'c']);
});

test('an endless event stops at its limit', async () => {
  const endless = (length: number): string[] => Array.from({ length }, () => 'x'.repeat(64 * 1024));
  await expect(sse(['data: ', ...endless(17)])).rejects.toThrow(
    new SseLimit('more than 1048576 characters in one event'),
  );
  await expect(sse(['data: x\n', ...endless(17)])).resolves.toEqual([]);
});

test('an endless stream of no events stops at its limit', async () => {
  const endless = Array.from({ length: 129 }, () => 'x'.repeat(64 * 1024));
  await expect(sse(endless)).rejects.toThrow(new SseLimit('more than 8388608 bytes in one stream'));
});

test('frames of an attach stream are joined, a cut one and plain text are given as they are', () => {
  const frame = (stream: number, text: string): Buffer => {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(text.length, 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  expect(demultiplex(Buffer.concat([frame(1, 'one '), frame(2, 'two')])).toString()).toBe('one two');
  expect(demultiplex(frame(1, 'whole').subarray(0, 10)).toString()).toBe('wh');
  expect(demultiplex(Buffer.from('plain text')).toString()).toBe('plain text');
});

test('a process name may hold brackets and spaces', () => {
  expect(parseStat('1 (node) S 0 1\n7 (a) Z (b) Z 1 1\nnonsense\n')).toEqual([
    { pid: 1, state: 'S', command: 'node' },
    { pid: 7, state: 'Z', command: 'a) Z (b' },
  ]);
});

test('processes are told apart, and values may hold an equals sign', () => {
  const output = 'sh\0\u0002A=1\0\u0001python\0uvicorn\0\u0002B=x=y\0C=\0\u0001\u0001';
  expect(parseProcesses(output).map(({ command, env }) => [command, [...env]])).toEqual([
    ['sh', [['A', '1']]],
    [
      'python uvicorn',
      [
        ['B', 'x=y'],
        ['C', ''],
      ],
    ],
  ]);
});
