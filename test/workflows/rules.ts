import { parse } from 'yaml';
import { stepsOf, type Source, type Workflow } from './files.ts';

/** A problem of a workflow, as `file: what`. */
type Rule = (source: Source) => readonly string[];

const pinned = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

/** Everything from outside is named by commit, with the version for people and bots. */
export const usesArePinned: Rule = ({ file, text }) =>
  text.split('\n').flatMap((line) => {
    const used = /^\s*(?:- )?uses:\s*(.*)$/.exec(line)?.[1];
    if (used === undefined || /^\.\/\.github\/actions\/[\w-]+$/.test(used) || pinned.test(used)) return [];
    return [`${file}: ${used}`];
  });

/** What anybody on the internet may choose, also in `with` of steps that run scripts. */
const foreign = /\$\{\{/;

/** Values reach a shell through its environment, never by being pasted into its text. */
export const shellsAreLiteral: Rule = (source) =>
  stepsOf(source).flatMap(({ run }) => (run !== undefined && foreign.test(run) ? [`${source.file}: ${run}`] : []));

export const permissionsAreLeast: Rule = ({ file, text }) => {
  const { permissions, jobs } = parse(text) as Workflow;
  const atTop = JSON.stringify(permissions) === '{}' ? [] : [`${file}: permissions at the top are not {}`];
  return [
    ...atTop,
    ...Object.entries(jobs).flatMap(([name, job]) => {
      const granted = Object.entries(job.permissions ?? { missing: 'permissions' });
      const allowed = file.endsWith('verify-pins.yml') ? ['contents: read', 'issues: write'] : ['contents: read'];
      return granted
        .map(([scope, level]) => `${scope}: ${level}`)
        .filter((text_) => !allowed.includes(text_))
        .map((text_) => `${file}: ${name} has ${text_}`);
    }),
  ];
};

export const jobsEnd: Rule = ({ file, text }) =>
  Object.entries((parse(text) as Workflow).jobs).flatMap(([name, job]) => {
    const minutes = job['timeout-minutes'];
    return typeof minutes === 'number' && minutes <= 90 ? [] : [`${file}: ${name} has no timeout`];
  });

export const runsAreSerialised: Rule = ({ file, text }) =>
  (parse(text) as Workflow).concurrency === undefined ? [`${file}: no concurrency group`] : [];

const dangerous = ['pull_request_target', 'workflow_run', 'issue_comment', 'issues'];

/** These run with secrets in the name of whoever caused them. */
export const triggersAreHarmless: Rule = ({ file, text }) =>
  Object.keys((parse(text) as Workflow).on)
    .filter((name) => dangerous.includes(name))
    .map((name) => `${file}: ${name}`);

const guard =
  "github.event_name != 'pull_request' || github.event.pull_request.head.repo.full_name == github.repository";

/** A job that pull requests cause sees no secret, unless the branch is one of this repository. */
export const secretsAreGuarded: Rule = ({ file, text }) => {
  const { on, jobs } = parse(text) as Workflow;
  if (!('pull_request' in on)) return [];
  return Object.entries(jobs).flatMap(([name, job]) => {
    const usesSecrets = /\$\{\{[^}]*\bsecrets\b/.test(JSON.stringify(job));
    const isGuarded =
      (job.if ?? '').replace(/\s+/g, ' ').includes(`(${guard})`) && !(job.if ?? '').includes(`(${guard}) ||`);
    return usesSecrets && !isGuarded ? [`${file}: ${name} uses secrets`] : [];
  });
};

/** A token left in .git/config is there for every later step, and for an uploaded artifact. */
export const checkoutsKeepNoToken: Rule = (source) =>
  stepsOf(source).flatMap(({ uses, with: inputs }) =>
    uses?.startsWith('actions/checkout@') === true && inputs?.['persist-credentials'] !== false
      ? [`${source.file}: a checkout keeps its token`]
      : [],
  );

export const workflowRules: readonly Rule[] = [
  usesArePinned,
  shellsAreLiteral,
  permissionsAreLeast,
  jobsEnd,
  runsAreSerialised,
  triggersAreHarmless,
  secretsAreGuarded,
  checkoutsKeepNoToken,
];
export const actionRules: readonly Rule[] = [usesArePinned, shellsAreLiteral];
