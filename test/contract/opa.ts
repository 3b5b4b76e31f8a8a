import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labPaths } from '../../src/lab/paths.ts';
import { fetchTools } from '../../src/lab/tools.ts';
import { startDockerRegistry } from '../support/registries/docker-registry.ts';

/** The decisions that are asked for; one that the policy leaves undefined is absent in the answer. */
export const decisions = [
  ...(['allow_network', 'network_action', 'deny_reason', 'matched_network_policy'] as const),
  ...(['allow_request', 'deny_request', 'request_deny_reason', 'matched_endpoint_config'] as const),
  ...(['exact_declared_endpoint_host', 'filesystem_policy', 'landlock_policy', 'process_policy'] as const),
] as const;

export interface Question {
  /** What the supervisor loads beside the rules: policy.yaml as data. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly input: unknown;
}
export type Answer = Partial<Record<(typeof decisions)[number], unknown>>;

export interface Opa {
  /** Evaluates the rules in `file` for every question at once. Throws with what OPA said when it does not take them. */
  ask(file: string, questions: Readonly<Record<string, Question>>): Promise<Record<string, Answer>>;
  close(): Promise<void>;
}

const type = 'https://example.invalid/question';

/**
 * A module in the place of cosign's own policy: `allow` is no yes or no but all answers, which cosign
 * prints because they are not `true`. JSON is Rego, so the questions are part of the module.
 */
function moduleFor(questions: Readonly<Record<string, Question>>): string {
  const given = ['filesystem_policy', 'landlock', 'process', 'network_policies'];
  const data = given.map((key) => `with data.${key} as object.get(question.data, "${key}", {})`).join(' ');
  const fields = decisions.map(
    (name) => `"${name}": [value | value := data.openshell.sandbox.${name} with input as question.input ${data}]`,
  );
  return [
    'package signature',
    'import rego.v1',
    `questions := ${JSON.stringify(questions)}`,
    `answers(question) := {${fields.join(', ')}}`,
    'allow := json.marshal({name: answers(question) | some name, question in questions})',
  ].join('\n');
}

/**
 * startOpa gives the Open Policy Agent inside cosign, the only build of it that Debian has: cosign
 * evaluates Rego over an attestation that it verified, so one is made, in a registry of its own.
 */
export async function startOpa(): Promise<Opa> {
  const directory = await mkdtemp(join(tmpdir(), 'opa-'));
  const registry = await startDockerRegistry();
  const close = async () => {
    await registry.close();
    await rm(directory, { recursive: true, force: true });
  };
  const env = { PATH: '/usr/bin:/bin', HOME: directory, COSIGN_PASSWORD: 'of a key that lives for one test' };
  const run = (program: string, args: readonly string[]): Promise<{ failed: boolean; said: string; stdout: string }> =>
    new Promise((resolve) => {
      execFile(program, [...args], { cwd: directory, env, timeout: 120_000 }, (error, stdout, stderr) => {
        resolve({ failed: error !== null, said: stdout + stderr, stdout });
      });
    });
  const must = async (program: string, args: readonly string[]): Promise<string> => {
    const { failed, said, stdout } = await run(program, args);
    if (failed) throw new Error(`${args.join(' ')}: ${said}`);
    return stdout.trim();
  };
  try {
    const tools = await fetchTools(labPaths().cache, ['cosign', 'crane']);
    const [cosign, crane] = [tools.cosign?.path ?? '', tools.crane?.path ?? ''];
    await writeFile(join(directory, 'empty.tar'), Buffer.alloc(1024));
    await writeFile(join(directory, 'predicate.json'), '{}');
    await must(cosign, ['generate-key-pair']);
    const tag = `${registry.host}/opa/subject:1`;
    await must(crane, ['append', '--insecure', '-f', 'empty.tar', '-t', tag]);
    const subject = `${registry.host}/opa/subject@${await must(crane, ['digest', '--insecure', tag])}`;
    const local = ['--allow-insecure-registry', '--new-bundle-format=false', '--type', type];
    const unlogged = ['--tlog-upload=false', '--use-signing-config=false', '--yes'];
    await must(cosign, [
      'attest',
      '--key',
      'cosign.key',
      '--predicate',
      'predicate.json',
      ...unlogged,
      ...local,
      subject,
    ]);
    return {
      close,
      async ask(file, questions) {
        await writeFile(join(directory, 'questions.rego'), moduleFor(questions));
        const rules = ['--policy', 'questions.rego', '--policy', file];
        const key = ['--key', 'cosign.pub', '--insecure-ignore-tlog=true'];
        const { said } = await run(cosign, ['verify-attestation', ...key, ...local, ...rules, subject]);
        const [, found] = /^- expression value, (\{.*\}), is not true$/m.exec(said) ?? [];
        if (found === undefined) throw new Error(said);
        const answers = JSON.parse(found) as Record<string, Record<string, readonly unknown[]>>;
        const plain = (answer: Record<string, readonly unknown[]>): Answer =>
          Object.fromEntries(
            Object.entries(answer).flatMap(([key, [value]]) => (value === undefined ? [] : [[key, value]])),
          );
        return Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, plain(answer)]));
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
