import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../scripts/command.ts';
import { policyOf } from '../../scripts/trust-policy.ts';
import { trustOptions } from '../../scripts/trust.ts';
import { fakeHost } from '../support/fake-host.ts';

const identity = ['--identity', 'https://github.com/o/r/.github/workflows/sign.yml@refs/heads/main'];
const caller = ['--repository', 'https://github.com/o/r', '--ref', 'refs/heads/main', '--trigger', 'push'];

/** What commander makes of these options. */
function policy(...args: readonly string[]) {
  const command = new Command();
  trustOptions(command);
  command.parse(args, { from: 'user' });
  return policyOf({ host: fakeHost(), options: command.opts() } as Partial<Call> as Call);
}

const code = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

describe('who signed, by options', () => {
  test('is a workflow and who ran it', async () => {
    expect(await policy(...identity, ...caller, '--trigger', 'push,workflow_dispatch')).toMatchObject({
      signer: { ref: ['refs/heads/main'], trigger: ['push', 'workflow_dispatch'] },
      require: ['signature', 'provenance', 'sbom'],
    });
    expect(await policy('--online')).toBeUndefined();
  });

  test('without who ran it is wrong use, and says every option that is missing, with a likely value', async () => {
    expect(await code(policy(...identity))).toMatchObject({
      exit: 2,
      code: 'cli/policy',
      facts: {
        hint: 'add --repository, --ref, --trigger',
        found: expect.stringMatching(
          /e\.g\. https:\/\/github\.com\/o\/r;.*e\.g\. refs\/heads\/main;.*e\.g\. push/,
        ) as unknown,
      },
    });
    expect(await code(policy(...identity, ...caller.slice(0, 4)))).toMatchObject({ facts: { hint: 'add --trigger' } });
  });

  test.each([
    ['a policy and an identity', ['--policy', 'p.yaml', ...identity], '--policy and --identity'],
    ['a policy and its issuer', ['--policy', 'p.yaml', '--issuer', 'https://x.example'], '--policy and --issuer'],
    ['a policy and what is required', ['--policy', 'p.yaml', '--require', 'signature'], '--policy and --require'],
    ['a policy and its nodes', ['--policy', 'p.yaml', '--nodes', 'root'], '--policy and --nodes'],
    ['a policy and a key', ['--policy', 'p.yaml', '--key', 'k.pub'], '--policy and --key'],
    ['a policy and old tags', ['--policy', 'p.yaml', '--with-legacy'], '--policy and --with-legacy'],
    ['a policy and a ref', ['--policy', 'p.yaml', '--ref', 'refs/heads/x'], '--policy and --ref'],
    ['a policy and a builder', ['--policy', 'p.yaml', '--builder', 'https://x.example'], '--policy and --builder'],
    ['a key and an identity', ['--key', 'k.pub', ...identity], '--key and --identity'],
    ['a key and an issuer', ['--key', 'k.pub', '--issuer', 'https://x.example'], '--key and --issuer'],
    ['a key and a repository', ['--key', 'k.pub', ...caller], '--key and --repository, --ref, --trigger'],
    ['what is required, of no signer', ['--require', 'signature'], '--require without a signer'],
    ['a repository, of no signer', ['--repository', 'https://github.com/o/r'], '--repository without a signer'],
  ])('%s: refused, and nothing is dropped in silence', async (_name, args, says) => {
    expect(await code(policy(...args))).toMatchObject({
      exit: 2,
      code: 'cli/policy',
      message: expect.stringContaining(says) as unknown,
    });
  });
});
