import type { Finding, RuleInfo } from '../../core/index.ts';
import type { Rule, RuleContext } from '../context.ts';
import { atPath, finding } from '../finding.ts';
import { readPolicy, regoKeys } from './read.ts';

const keys: RuleInfo = {
  id: 'contract/policy-unknown-key',
  severity: 'error',
  section: '4',
  summary: 'The supervisor knows every key of policy.yaml.',
  remediation:
    'Correct the key: the supervisor drops what it does not know without a word, and a whole layer of defence with it.',
};

/** The supervisor itself reads these; a policy.rego hands them on or leaves them alone. */
const supervisorsOwn = ['version', 'network_middlewares'];

export const policyKeys: Rule = {
  info: keys,
  check({ policy }): Finding[] {
    if (policy === undefined) return [];
    const read = readPolicy(policy);
    const unknown = read.problems
      .filter(({ kind }) => kind === 'unknown-key')
      .map(({ key, message, path }) =>
        finding(keys, key, `every key of the policy must mean something; ${key}: ${message}`, read.at(path)),
      );
    if (policy.rego === undefined || read.policy === undefined) return unknown;
    const consumed = regoKeys(policy.rego.text);
    const unread = Object.keys(read.policy).filter((key) => !supervisorsOwn.includes(key) && !consumed.includes(key));
    return [
      ...unknown,
      ...unread.map((key) => {
        const message = `every key of the policy must mean something; ${policy.rego?.name ?? 'policy.rego'} reads data.${consumed.join(', data.')} and not ${key}`;
        return finding(keys, key, message, read.at([key]));
      }),
    ];
  },
};

const shape: RuleInfo = {
  id: 'contract/policy-shape',
  severity: 'error',
  section: '4',
  summary: 'policy.yaml is there and of the form that the supervisor reads.',
  remediation: 'Correct the value: the supervisor refuses the file, or falls back to a policy that allows nothing.',
};

function absent(context: RuleContext): Finding[] {
  const spec = context.profile.policy;
  if (spec === undefined || !spec.required) return [];
  const entry = context.picture.tree.get(spec.path);
  if (entry === undefined)
    return [finding(shape, spec.path, `${spec.path} must be in the image; it is absent`, atPath(context, spec.path))];
  const message = `${spec.path} must be a readable policy; it is a ${entry.type} of ${entry.size} bytes whose content was not kept`;
  return [finding(shape, spec.path, message, atPath(context, spec.path))];
}

export const policyShape: Rule = {
  info: shape,
  check(context) {
    const { policy } = context;
    if (policy === undefined) return absent(context);
    const read = readPolicy(policy);
    return read.problems
      .filter(({ kind }) => kind !== 'unknown-key')
      .map(({ key, message, path }) =>
        finding(
          shape,
          key === '' ? 'policy.yaml' : key,
          `the policy must be well-formed; ${key === '' ? '' : `${key}: `}${message}`,
          read.at(path),
        ),
      );
  },
};
