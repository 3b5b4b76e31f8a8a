import type { TestModule } from 'vitest/node';
import { afterEach, describe, expect, test, vi } from 'vitest';
import ClosingLine from '../support/closing-line.ts';

/** A file with one test for each state. */
function ran(...states: readonly string[]): TestModule {
  return file(states.includes('failed') ? 'failed' : 'passed', states);
}

function file(state: string, states: readonly string[]): TestModule {
  const tests = states.map((state) => ({ fullName: `one that ${state}`, result: () => ({ state }) }));
  const module = { relativeModuleId: 'a.test.ts', state: () => state, children: { allTests: () => tests } };
  return module as unknown as TestModule;
}

/** What a run of these prints, and its exit code. */
async function close(...modules: readonly TestModule[]): Promise<{ printed: string; code: unknown }> {
  const before = process.exitCode;
  let printed = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  process.exitCode = undefined;
  new ClosingLine().onTestRunEnd(modules, []);
  await new Promise((next) => setImmediate(next));
  write.mockRestore();
  const code = process.exitCode;
  process.exitCode = before;
  return { printed, code };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the closing line', () => {
  test('counts what passed, failed and was skipped', async () => {
    vi.stubEnv('CI', undefined);
    vi.stubEnv('RUNNER_IMAGE_NO_SKIPS', undefined);
    const { printed, code } = await close(ran('passed', 'passed', 'failed'), ran('skipped'));
    expect(printed).toBe('\n2 passed, 1 failed, 1 skipped\n');
    expect(code).toBeUndefined();
  });

  test.each([
    ['could not be loaded', [], '0 skipped'],
    ['could not prepare what its tests wait for', ['skipped', 'skipped'], '2 skipped'],
  ])('a file that %s is one failure', async (_name, states, skipped) => {
    vi.stubEnv('CI', undefined);
    vi.stubEnv('RUNNER_IMAGE_NO_SKIPS', undefined);
    const { printed } = await close(ran('passed'), file('failed', states));
    expect(printed).toBe(`\n1 passed, 1 failed, ${skipped}\n`);
  });

  test.each(['CI', 'RUNNER_IMAGE_NO_SKIPS'])(
    'a skipped test is named and fails the run where %s is set',
    async (name) => {
      vi.stubEnv('CI', undefined);
      vi.stubEnv('RUNNER_IMAGE_NO_SKIPS', undefined);
      vi.stubEnv(name, '1');
      const { printed, code } = await close(ran('passed', 'skipped'));
      expect(code).toBe(1);
      expect(printed).toContain('a.test.ts: one that skipped');
      expect(printed).toMatch(/\n1 passed, 0 failed, 1 skipped\n$/);
      expect(await close(ran('passed'))).toEqual({ printed: '\n1 passed, 0 failed, 0 skipped\n', code: undefined });
    },
  );
});
