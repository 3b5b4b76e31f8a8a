import { describe, expect, test } from 'vitest';
import { sshArguments } from '../../src/engines/dial-stdio.ts';
import { formatEndpoint, parseEndpoint, parseEndpointOptions } from '../../src/engines/index.ts';

describe('endpoints', () => {
  test.each(['unix:///run/docker.sock', 'tcp://10.0.0.1:2376', 'ssh://me@builder.example:2222', 'ssh://builder'])(
    '%s is read and written back',
    (text) => {
      expect(formatEndpoint(parseEndpoint(text))).toBe(text);
    },
  );

  test.each([
    '/run/docker.sock',
    'unix://relative',
    'http://host',
    'tcp://',
    'ssh://me:secret@host',
    'ssh://-oProxyCommand=x',
    'tcp://host/path',
  ])('%s is refused', (text) => {
    expect(() => parseEndpoint(text)).toThrow(expect.objectContaining({ code: 'engines/endpoint', exit: 2 }) as Error);
  });

  test('a password typed by mistake is not repeated', () => {
    expect(() => parseEndpoint('ssh://me:secret@host')).toThrow(
      expect.objectContaining({ facts: expect.objectContaining({ found: '"ssh://me:…@host"' }) as object }) as Error,
    );
  });

  test('ssh asks no questions and takes the destination as a destination', () => {
    expect(sshArguments({ $case: 'ssh', destination: 'me@host', port: 2222 }).join(' ')).toBe(
      '-T -o BatchMode=yes -o ConnectTimeout=30 -p 2222 -- me@host docker system dial-stdio',
    );
  });

  test('each platform takes one endpoint', () => {
    const map = parseEndpointOptions(['linux/arm64=ssh://arm', 'linux/amd64=unix:///run/docker.sock']);
    expect([...map.keys()]).toEqual(['linux/arm64', 'linux/amd64']);
    expect(() => parseEndpointOptions(['ssh://arm'])).toThrow(/no platform/);
    expect(() => parseEndpointOptions(['linux/s390x=ssh://z'])).toThrow(/platform/);
    expect(() => parseEndpointOptions(['linux/arm64=ssh://a', 'linux/arm64=ssh://b'])).toThrow(/twice/);
  });
});
