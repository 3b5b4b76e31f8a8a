import type { Finding, RuleInfo } from '../../core/index.ts';
import { obstacleTo, type Identity } from '../access.ts';
import type { Rule, RuleContext } from '../context.ts';
import { atPath, finding } from '../finding.ts';
import { lookup } from '../tree.ts';

const words = { r: 'read', w: 'write', x: 'execute or search' } as const;
const spell = (access: string): string =>
  (['r', 'w', 'x'] as const)
    .filter((letter) => access.includes(letter))
    .map((letter) => words[letter])
    .join(', ');

function check(context: RuleContext, info: RuleInfo, who: Identity, without = ''): Finding[] {
  const { tree } = context.picture;
  return context.profile.paths.flatMap(({ path, access: asked, kind }): Finding[] => {
    const access = asked?.replace(without, '');
    if (access === undefined || access === '') return [];
    const obstacle = obstacleTo(tree, who, path, access);
    // What is absent or of the wrong kind is the required-path rule's to report, once.
    if (obstacle === undefined || !tree.has(obstacle.path)) return [];
    const found = lookup(tree, path)?.entry;
    if (found === undefined || (kind !== 'any' && found.type !== kind)) return [];
    const message = `${who.name} must be able to ${spell(access)} ${path}; ${obstacle.because}`;
    return [finding(info, path, message, atPath(context, obstacle.path))];
  });
}

const arbitrary: RuleInfo = {
  id: 'contract/arbitrary-uid',
  severity: 'error',
  section: '3.6',
  summary: 'A random UID in group 0, as OpenShift assigns it, can use every path that the runner needs.',
  remediation:
    'Give the path to group 0 with the permissions of its owner when it is first written (COPY --chown=…:0 --chmod, or mkdir -m and chgrp in the same RUN).',
};

export const arbitraryUid: Rule = {
  info: arbitrary,
  check: (context) => check(context, arbitrary, context.arbitrary),
};

const group: RuleInfo = {
  id: 'contract/any-group',
  severity: 'error',
  section: '3.6',
  summary:
    'Where the gateway starts the image, a random UID that is in no group of the image can read and run what it needs.',
  remediation:
    "Let others read the path (and run it, if it is a program): the group comes from the namespace's range, or equals the UID. What is written lies on a volume that the platform fills.",
};

/** In gateway mode group 0 is not certain, and home is a volume of the platform: so only writing is left out. */
export const anyGroup: Rule = {
  info: group,
  check(context) {
    if (context.profile.anyGroup !== true) return [];
    const { uid } = context.arbitrary;
    // What group 0 cannot use either is one mistake, reported once.
    const said = new Set(check(context, arbitrary, context.arbitrary).map(({ subject }) => subject));
    const who = { name: `random UID ${uid} in group ${uid}`, uid, gids: [uid] };
    return check(context, group, who, 'w').filter(({ subject }) => !said.has(subject));
  },
};

const runtime: RuleInfo = {
  id: 'contract/runtime-access',
  severity: 'error',
  section: '3.3',
  summary: 'The user that the image names can use every path that the runner needs.',
  remediation: 'Let the path belong to that user or to its group, with the permissions named.',
};

export const runtimeAccess: Rule = {
  info: runtime,
  check(context) {
    if (context.runtime !== undefined) {
      // What a random UID cannot use either is one mistake, reported once by the stronger requirement.
      const said = new Set(check(context, arbitrary, context.arbitrary).map(({ subject }) => subject));
      return check(context, runtime, context.runtime).filter(({ subject }) => !said.has(subject));
    }
    const name = context.profile.runsAs;
    if (name === undefined) return [];
    const message = `processes drop to user ${name}; the image's /etc/passwd has no such user`;
    return [finding(runtime, name, message, atPath(context, '/etc/passwd'))];
  },
};
