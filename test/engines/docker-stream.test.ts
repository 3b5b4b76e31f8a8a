import { describe, expect, test } from 'vitest';
import type { AppError } from '../../src/errors/index.ts';
import { DockerStream, type Outcome } from '../../src/engines/docker-stream.ts';
import { fixture, makeRequest, told } from './support.ts';

const docker = 'docker@20.10.24';

function replay(bytes: Buffer, chunk = 700): { outcome: Outcome; events: string[] } {
  const request = makeRequest();
  const stream = new DockerStream(request, 'Docker Engine 20.10.24');
  for (let at = 0; at < bytes.length; at += chunk) stream.push(bytes.subarray(at, at + chunk));
  return { outcome: stream.outcome(), events: told(request.events) };
}

function errorOf(outcome: Outcome): AppError {
  if (!('error' in outcome)) throw new Error('the build did not fail');
  return outcome.error;
}

const failWith = (message: string): AppError =>
  errorOf(replay(Buffer.from(`${JSON.stringify({ errorDetail: { message }, error: message })}\n`)).outcome);

describe('when a recorded BuildKit build is read', () => {
  test('every step starts and ends once, in order, with its output between', () => {
    const { outcome, events } = replay(fixture(docker, 'good.ndjson'));
    expect('id' in outcome && outcome.id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(events.filter((line) => line.includes('RUN echo hello'))).toEqual([
      'started RUN echo hello     && uname -m > /arch',
      'log RUN echo hello     && uname -m > /arch > hello',
      'done RUN echo hello     && uname -m > /arch',
    ]);
    expect(events).toContain('log RUN cat /copied > x86_64');
    for (const line of events.filter((event) => !event.startsWith('log ')))
      expect(events.filter((other) => other === line)).toHaveLength(1);
  });

  test('steps carry stage, number and total', () => {
    const request = makeRequest();
    new DockerStream(request, 'x').push(fixture(docker, 'good.ndjson'));
    expect(request.events).toContainEqual(
      expect.objectContaining({ $case: 'done', stage: 'base', step: 3, total: 3, platform: 'linux/amd64' }),
    );
  });

  test('the pieces that the connection delivers do not matter', () => {
    const bytes = fixture(docker, 'good.ndjson');
    expect(replay(bytes, 1)).toEqual(replay(bytes, bytes.length));
  });

  test('cached steps are told as cached', () => {
    const { events } = replay(fixture(docker, 'cached.ndjson'));
    expect(events).toContain('cached RUN cat /copied');
    expect(events.some((line) => line.startsWith('done RUN'))).toBe(false);
  });
});

describe('when a build fails', () => {
  test('the error names the Dockerfile line and the step’s last output', () => {
    const error = errorOf(replay(fixture(docker, 'failing.ndjson')).outcome);
    expect(error).toMatchObject({ code: 'engines/step-failed', exit: 2 });
    expect(error.facts.where).toEqual({ file: 'images/openshell/Dockerfile.openshell', line: 12 });
    expect(error.message).toContain('RUN echo to-out');
    expect(error.facts.found).toContain('exit code: 3');
    expect(error.facts.found).toContain('to-out');
    expect(error.facts.found).toContain('to-err');
  });

  test('a program of another architecture is missing emulation', () => {
    const error = errorOf(replay(fixture(docker, 'no-emulation.ndjson')).outcome);
    expect(error).toMatchObject({ code: 'engines/no-emulation', exit: 4 });
    expect(error.facts.hint).toContain('qemu-user-static');
  });

  test('a full disk is the machine’s', () => {
    expect(failWith('write /var/lib/docker/tmp/x: no space left on device')).toMatchObject({
      code: 'engines/disk-full',
      exit: 4,
    });
  });

  test('a base image that cannot be fetched is the upstream’s', () => {
    const error = failWith('failed to do request: Head "https://ghcr.io/v2/": dial tcp: lookup ghcr.io: no such host');
    expect(error).toMatchObject({ code: 'engines/step-upstream', exit: 3 });
    expect(error.facts.hint).toContain('make demo');
  });

  test('a line that the frontend cannot parse is named', () => {
    const error = failWith(
      'failed to create LLB definition: dockerfile parse error line 14: unknown instruction: EXIT',
    );
    expect(error).toMatchObject({ code: 'engines/step-failed', facts: { where: { line: 14 } } });
  });
});

describe('when the engine dies in the middle', () => {
  test('a stream that ends without an image is an error, not a success', () => {
    const bytes = fixture(docker, 'good.ndjson');
    const whole = bytes.lastIndexOf('\n', bytes.length / 2) + 1;
    expect(errorOf(replay(bytes.subarray(0, whole)).outcome)).toMatchObject({ code: 'engines/died', exit: 4 });
  });

  test('a line cut in half is no reason to call the Dockerfile wrong', () => {
    const bytes = fixture(docker, 'good.ndjson');
    expect(errorOf(replay(bytes.subarray(0, bytes.length / 2)).outcome)).toMatchObject({ code: 'engines/died' });
  });

  test('an empty answer is an error', () => {
    expect(errorOf(replay(Buffer.alloc(0)).outcome)).toMatchObject({ code: 'engines/died' });
  });

  test('an answer that is not JSON is an error', () => {
    expect('error' in replay(Buffer.from('<html>bad gateway</html>\n')).outcome).toBe(true);
  });
});
