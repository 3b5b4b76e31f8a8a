import type { Finding, RuleInfo } from '../../core/index.ts';
import { resolveUser, type Accounts } from '../accounts.ts';
import type { Rule } from '../context.ts';
import { finding } from '../finding.ts';
import { isUnder, resolve } from '../tree.ts';
import { readPolicy } from './read.ts';

const paths: RuleInfo = {
  id: 'contract/policy-path',
  severity: 'warning',
  section: '4',
  summary: 'Every path of filesystem_policy is in the image.',
  remediation:
    'Remove the path or correct it: the supervisor leaves out what it cannot open (best_effort) or does not start (hard_requirement).',
};

/** The runtime mounts these. */
const mounted = ['/proc', '/sys', '/dev', '/var/run/secrets'];

export const policyPaths: Rule = {
  info: paths,
  check({ policy: source, picture }): Finding[] {
    if (source === undefined) return [];
    const { policy, at } = readPolicy(source);
    const strict = policy?.landlock?.compatibility === 'hard_requirement';
    return (['read_only', 'read_write'] as const).flatMap((list) =>
      (policy?.filesystem_policy?.[list] ?? []).flatMap((path, index): Finding[] => {
        const location = at(['filesystem_policy', list, index]);
        if (path.split('/').includes('..') || (list === 'read_write' && path === '/')) {
          const why = path === '/' ? 'everything would be writable' : '".." is refused';
          return [
            finding(paths, path, `${list} must name plain directories; ${path}: ${why}`, location, {
              severity: 'error',
            }),
          ];
        }
        if (mounted.some((directory) => isUnder(path, directory))) return [];
        const found = resolve(picture.tree, path);
        if (found.$case === 'found') return [];
        const then = strict ? 'the supervisor will not start' : 'the supervisor leaves it out';
        const message = `${list} must name paths of the image; ${path} leads to ${found.at}, which does not exist: ${then}`;
        return [finding(paths, path, message, location, strict ? { severity: 'error' } : {})];
      }),
    );
  },
};

const identity: RuleInfo = {
  id: 'contract/policy-identity',
  severity: 'error',
  section: '4',
  summary: 'The user and group that the supervisor drops to exist and are not root.',
  remediation: 'Name the user that the image creates, with fixed numbers in its /etc/passwd and /etc/group.',
};

/** Why a value of `process` names no account of the image, or names root; undefined when it is fine. */
const problems = {
  run_as_user: (value: string, accounts: Accounts): string | undefined => {
    const who = resolveUser(value, accounts);
    return who.$case === 'bad' ? who.why : who.uid === 0 ? who.how : undefined;
  },
  run_as_group: (value: string, accounts: Accounts): string | undefined => {
    // A group is looked up as the second half of user:group; the user before it plays no part.
    const who = resolveUser(`1:${value}`, accounts);
    return who.$case === 'bad' ? who.why : who.gids[0] === 0 ? 'it is group 0' : undefined;
  },
};

export const policyIdentity: Rule = {
  info: identity,
  check({ policy: source, accounts }): Finding[] {
    if (source === undefined) return [];
    const { policy, at } = readPolicy(source);
    return (['run_as_user', 'run_as_group'] as const).flatMap((key): Finding[] => {
      const value = policy?.process?.[key];
      const why = value === undefined ? undefined : problems[key](String(value), accounts);
      if (why === undefined) return [];
      const what = `${key} must be a non-root ${key === 'run_as_user' ? 'user' : 'group'} of the image`;
      const message = `${what}; ${JSON.stringify(value)}: ${why}`;
      return [finding(identity, `process.${key}`, message, at(['process', key]))];
    });
  },
};
