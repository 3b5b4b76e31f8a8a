import { finished } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { AppError, renderError } from '../../src/errors/index.ts';
import { dockerEngine, parseEndpoint } from '../../src/engines/index.ts';
import { fakeHost } from '../support/fake-host.ts';

const infoOver = (host: ReturnType<typeof fakeHost>): Promise<unknown> =>
  dockerEngine(host, { endpoint: parseEndpoint('ssh://builder@farm.example') })
    .info()
    .catch((error: unknown) => error);

describe('an engine over ssh that cannot be reached', () => {
  test('says what the remote said, although its output ended first', async () => {
    const host = fakeHost({
      run: async (_command, _args, { stdout }) => {
        if (stdout === undefined) throw new Error('the connection is not read');
        await finished(stdout.end());
        await turn();
        return { exitCode: 127, stdout: '', stderr: 'sh: 1: docker: not found\n' };
      },
    });
    const error = await infoOver(host);
    expect(error).toMatchObject({ code: 'engines/unreachable', exit: 4 });
    expect(renderError(error)).toContain('ssh builder@farm.example ended with 127: sh: 1: docker: not found');
  });

  test('names ssh where it is not installed', async () => {
    const missing = new AppError('host/command-missing', 'machine', 'ssh is not installed', {});
    const error = await infoOver(fakeHost({ run: async () => Promise.reject(missing) }));
    expect(error).toMatchObject({ code: 'engines/unreachable', exit: 4 });
    expect(renderError(error)).toContain('ssh is not installed');
  });
});
