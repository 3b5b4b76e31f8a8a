import { describe, expect, test } from 'vitest';
import { buildFailed } from '../../src/engines/build-error.ts';
import { buildahBuildArguments } from '../../src/engines/buildah-args.ts';
import { dockerQuery } from '../../src/engines/docker-options.ts';
import { examineEngines } from '../../src/engines/index.ts';
import { fittingLimits } from '../../src/engines/limits.ts';
import { lastError, reasonOf } from '../../src/engines/reason.ts';
import { renderError } from '../../src/errors/index.ts';
import { fakeHost, type FakeHost } from '../support/fake-host.ts';
import { fixture, makeRequest } from './support.ts';

/** A machine whose kernel says these hard limits. */
function machine(files: string, processes: string, pidMax = '4194304'): FakeHost {
  const rows = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    `Max processes             ${processes.padEnd(20)} ${processes.padEnd(20)} processes `,
    `Max open files            1024                 ${files.padEnd(20)} files     `,
  ];
  const { files: real } = fakeHost();
  const readText: typeof real.readText = async (path, limit) =>
    path === '/proc/self/limits'
      ? `${rows.join('\n')}\n`
      : path === '/proc/sys/kernel/pid_max'
        ? `${pidMax}\n`
        : real.readText(path, limit);
  return fakeHost({
    files: { ...real, readText },
    run: async () => ({ exitCode: 1, stdout: '', stderr: 'not here' }),
  });
}

describe('the limits that an engine is asked for', () => {
  test('are the machine’s own where it would raise them too high', async () => {
    const limits = await fittingLimits(machine('20000', '96365'));
    expect(limits).toEqual(['nofile=20000:20000', 'nproc=96365:96365']);
    const args = buildahBuildArguments(makeRequest(), undefined, undefined, limits).join(' ');
    expect(args).toContain('--ulimit nofile=20000:20000 --ulimit nproc=96365:96365');
    // Podman reads a list of what its --ulimit takes; Docker's builder has no such default to lower.
    expect(dockerQuery('podman', makeRequest(), undefined, limits)).toMatchObject({ ulimits: JSON.stringify(limits) });
    expect(dockerQuery('docker', makeRequest(), undefined, limits)).not.toHaveProperty('ulimits');
  });

  test('never are more processes than there can be: Buildah 1.28 has lowered its own limit to that', async () => {
    expect(await fittingLimits(machine('20000', '96365', '32768'))).toEqual([
      'nofile=20000:20000',
      'nproc=32768:32768',
    ]);
  });

  test.each([
    ['the machine allows as much as it would ask for', '1048576', 'unlimited'],
    ['the machine allows more', '1073741816', '2000000'],
  ])('are left to it where %s', async (_name, files, processes) => {
    const limits = await fittingLimits(machine(files, processes));
    expect(limits).toEqual([]);
    expect(buildahBuildArguments(makeRequest(), undefined, undefined, limits)).not.toContain('--ulimit');
    expect(dockerQuery('podman', makeRequest(), undefined, limits)).not.toHaveProperty('ulimits');
  });

  test('are left to it where the kernel has no /proc', async () => {
    const { files } = fakeHost();
    const host = fakeHost({ files: { ...files, readText: async () => Promise.reject(new Error('ENOENT')) } });
    expect(await fittingLimits(host)).toEqual([]);
  });
});

describe('doctor', () => {
  const found = async (host: FakeHost) =>
    (await examineEngines(host, '/')).diagnoses.filter(({ subject }) => subject === 'hard limits');

  test('says which limits the builds stay within', async () => {
    expect(await found(machine('20000', '96365'))).toEqual([
      { subject: 'hard limits', state: 'ok', found: expect.stringContaining('nofile 20000, nproc 96365') as string },
    ]);
  });

  test('says nothing of limits that are high enough', async () => {
    expect(await found(machine('1048576', 'unlimited'))).toEqual([]);
  });
});

describe('when an engine may not set its limit', () => {
  test.each(['limit-refused.stderr.txt', 'limit-refused-chroot.stderr.txt'])('%s is the machine’s: exit 4', (name) => {
    const stderr = fixture('buildah@1.39.3', name).toString();
    const log = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('Error: '));
    const error = buildFailed(makeRequest(), 'buildah 1.39.3', { message: lastError(stderr), log });
    expect(error).toMatchObject({ code: 'engines/limit-refused', exit: 4 });
    expect(renderError(error)).toMatch(/found:[^]*rlimit[^]*operation not permitted[^]*do:.*default_ulimits/i);
  });

  test('another refusal is not taken for it', () => {
    const message = 'building at STEP "RUN mount x": mount: operation not permitted';
    expect(buildFailed(makeRequest(), 'buildah', { message, log: [] }).code).toBe('engines/step-failed');
  });
});

describe('the reason of a failing step', () => {
  const step = `RUN ${'make one thing && '.repeat(300)}true`;

  test('is shown, however long the instruction before it', () => {
    const message = `Error: building at STEP "${step}": while running runtime: exit status 7`;
    expect(reasonOf(message, step)).toBe('while running runtime: exit status 7');
    const found = buildFailed(makeRequest(), 'buildah', { message, log: [], step: { name: step } }).facts.found;
    expect(found).toBe('while running runtime: exit status 7');
  });

  test('is shown when the engine words the instruction differently', () => {
    const message = `building at STEP "${step} ": while running runtime: exit status 7`;
    expect(reasonOf(message, step)).toMatch(/^building at STEP [^]* … [^]*: exit status 7$/);
  });

  test('is found behind an instruction of several lines', () => {
    const stderr =
      'step output\nError: building at STEP "RUN <<EOF\nmake\nEOF": while running runtime: exit status 7\n';
    expect(lastError(stderr)).toMatch(/^Error: building at STEP "RUN <<EOF\nmake\nEOF": .*exit status 7$/);
  });
});
