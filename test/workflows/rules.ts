import { parse } from 'yaml';
import { stepsOf, type Source, type Workflow } from './files.ts';

/** A problem of a workflow, as `file: what`. */
type Rule = (source: Source) => readonly string[];

const pinned = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

/** Everything from outside is named by commit, with the version for people and bots. */
export const usesArePinned: Rule = ({ file, text }) =>
  text.split('\n').flatMap((line) => {
    const used = /^\s*(?:- )?uses:\s*(.*)$/.exec(line)?.[1];
    const own = /^\.\/\.github\/(?:actions\/[\w-]+|workflows\/[\w-]+\.yml)$/;
    if (used === undefined || own.test(used) || pinned.test(used)) return [];
    return [`${file}: ${used}`];
  });

/** What anybody on the internet may choose, also in `with` of steps that run scripts. */
const foreign = /\$\{\{/;

/** Values reach a shell through its environment, never by being pasted into its text. */
export const shellsAreLiteral: Rule = (source) =>
  stepsOf(source).flatMap(({ run }) => (run !== undefined && foreign.test(run) ? [`${source.file}: ${run}`] : []));

/** What a job may have beside reading the code, by file and job; whoever adds to it says here why. */
const granted: Readonly<Record<string, readonly string[]>> = {
  // One issue, opened, brought up to date, closed.
  'verify-pins.yml watch': ['issues: write'],
  'watch-identity.yml watch': ['issues: write'],
  // One branch and one pull request for each group.
  'bump.yml propose': ['contents: write', 'pull-requests: write'],
  // The only steps that have an identity, and the job without steps of its own that calls them.
  'sign.yml sign': ['id-token: write'],
  'build.yml sign': ['id-token: write'],
};

export const permissionsAreLeast: Rule = ({ file, text }) => {
  const { permissions, jobs } = parse(text) as Workflow;
  const atTop = JSON.stringify(permissions) === '{}' ? [] : [`${file}: permissions at the top are not {}`];
  return [
    ...atTop,
    ...Object.entries(jobs).flatMap(([name, job]) => {
      const has = Object.entries(job.permissions ?? { missing: 'permissions' });
      const more = granted[`${file.split('/').at(-1) ?? ''} ${name}`] ?? [];
      return has
        .map(([scope, level]) => `${scope}: ${level}`)
        .filter((given) => given !== 'contents: read' && !more.includes(given))
        .map((given) => `${file}: ${name} has ${given}`);
    }),
  ];
};

/** An identity is for the signing workflow alone: its steps, or a call of it, and no job that builds. */
export const identitiesSign: Rule = ({ file, text }) =>
  Object.entries((parse(text) as Workflow).jobs).flatMap(([name, { permissions = {}, uses, steps }]) => {
    if (permissions['id-token'] === undefined) return [];
    const calls = uses === './.github/workflows/sign.yml' && steps === undefined;
    return calls || file.endsWith('/sign.yml') ? [] : [`${file}: ${name} has an identity and does not sign`];
  });

export const jobsEnd: Rule = ({ file, text }) =>
  Object.entries((parse(text) as Workflow).jobs).flatMap(([name, job]) => {
    // GitHub allows none on a call; the jobs of the called workflow have theirs.
    if (job.uses !== undefined) return [];
    const minutes = job['timeout-minutes'];
    return typeof minutes === 'number' && minutes <= 90 ? [] : [`${file}: ${name} has no timeout`];
  });

export const runsAreSerialised: Rule = ({ file, text }) =>
  (parse(text) as Workflow).concurrency === undefined ? [`${file}: no concurrency group`] : [];

/** Whoever hands on everything hands on what the next secret will be. */
export const secretsAreNamed: Rule = ({ file, text }) =>
  /secrets:\s*inherit/.test(text) ? [`${file}: secrets: inherit`] : [];

/** A workflow names one trigger, a list of them, or each with its conditions. */
const triggersOf = ({ text }: Source): readonly string[] => {
  const { on } = parse(text) as { readonly on: string | readonly string[] | Readonly<Record<string, unknown>> };
  return typeof on === 'string' ? [on] : Array.isArray(on) ? (on as readonly string[]) : Object.keys(on);
};

const dangerous = ['pull_request_target', 'workflow_run', 'issue_comment', 'issues'];

/** These run with secrets in the name of whoever caused them. */
export const triggersAreHarmless: Rule = (source) =>
  triggersOf(source)
    .filter((name) => dangerous.includes(name))
    .map((name) => `${source.file}: ${name}`);

const guard =
  "github.event_name != 'pull_request' || github.event.pull_request.head.repo.full_name == github.repository";

/** A job that pull requests cause sees no secret, unless the branch is one of this repository. */
export const secretsAreGuarded: Rule = (source) => {
  const { file, text } = source;
  const { jobs } = parse(text) as Workflow;
  if (!triggersOf(source).includes('pull_request')) return [];
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

/** A reusable workflow with an identity serves whom it knows: a condition on the caller, and a look before any code. */
export const callersAreKnown: Rule = (source) => {
  const { on, jobs } = parse(source.text) as Workflow;
  if (typeof on !== 'object' || !Object.hasOwn(on, 'workflow_call')) return [];
  return Object.entries(jobs).flatMap(([name, { permissions = {}, steps = [], if: condition = '' }]) => {
    if (permissions['id-token'] === undefined) return [];
    const [first, ...others] = steps;
    const looks = first?.uses === undefined && /job_workflow_ref/.test(first?.run ?? '');
    const own = others.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    const isOwn = own.length === 1 && String(own[0]?.with?.['ref']).includes(`steps.${first?.id ?? ''}.outputs.`);
    return [
      ...(condition.includes('github.workflow_ref == ') ? [] : [`${source.file}: ${name} serves every caller`]),
      ...(looks ? [] : [`${source.file}: ${name} runs code before it knows its caller`]),
      ...(isOwn ? [] : [`${source.file}: ${name} runs the caller’s code`]),
    ];
  });
};

/** A tag may lie on any commit: before a job sees a secret, one that sees none proves that it is a commit of main. */
export const tagsAreOfMain: Rule = (source) => {
  const { on, jobs } = parse(source.text) as Workflow;
  const push = typeof on === 'object' ? (on['push'] as { readonly tags?: unknown } | null | undefined) : undefined;
  if (push?.tags === undefined) return [];
  const isTrusted = (job: Workflow['jobs'][string]): boolean =>
    job.environment !== undefined ||
    job.permissions?.['id-token'] !== undefined ||
    /\bsecrets\./.test(JSON.stringify(job));
  const proves = Object.keys(jobs).filter((name) => {
    const job = jobs[name];
    return job !== undefined && !isTrusted(job) && JSON.stringify(job).includes('git merge-base --is-ancestor');
  });
  return Object.entries(jobs).flatMap(([name, job]) => {
    const waits =
      [job.needs ?? []].flat().some((one) => proves.includes(one)) && !/always\(\)|cancelled\(\)/.test(job.if ?? '');
    return isTrusted(job) && !waits ? [`${source.file}: ${name} sees secrets of a tag on any commit`] : [];
  });
};

export const workflowRules: readonly Rule[] = [
  usesArePinned,
  shellsAreLiteral,
  permissionsAreLeast,
  identitiesSign,
  secretsAreNamed,
  jobsEnd,
  runsAreSerialised,
  triggersAreHarmless,
  secretsAreGuarded,
  checkoutsKeepNoToken,
  callersAreKnown,
  tagsAreOfMain,
];
const withoutIdentity = 'env -u ACTIONS_ID_TOKEN_REQUEST_TOKEN -u ACTIONS_ID_TOKEN_REQUEST_URL npm ';

/** The setup runs in the job that signs, too: npm and what it runs get no means to ask for a token. */
export const setupHasNoIdentity: Rule = (source) =>
  source.file.endsWith('/setup/action.yml')
    ? stepsOf(source).flatMap(({ run = '' }) =>
        /\bnpm\b/.test(run) && !run.replace(/\s+/g, ' ').startsWith(withoutIdentity) ? [`${source.file}: ${run}`] : [],
      )
    : [];

export const actionRules: readonly Rule[] = [usesArePinned, shellsAreLiteral, setupHasNoIdentity];
