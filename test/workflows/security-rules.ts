import { parse } from 'yaml';
import { stepsOf, type Source, type Step, type Workflow } from './files.ts';

/**
 * What security linters of workflows look for beyond the rules of this project (zizmor's audits, by their names), as
 * far as it can be read from the files. Each gives problems as `file: what`.
 */
type Rule = (source: Source) => readonly string[];

type Node = { readonly [key: string]: unknown };
const jobsOf = ({ text }: Source): readonly [string, Node][] =>
  Object.entries((parse(text) as Partial<Workflow>).jobs ?? {}) as never;

/** Every text of a file that GitHub reads as an expression, conditions without braces too. */
function expressionsOf(source: Source): readonly string[] {
  const pasted = [...source.text.matchAll(/\$\{\{(.*?)\}\}/gs)].map(([, inside]) => inside ?? '');
  const conditions = [...jobsOf(source).map(([, job]) => job['if']), ...stepsOf(source).map((step) => step.if)];
  return [...pasted, ...conditions.filter((text): text is string => typeof text === 'string')];
}

const inExpressions =
  (pattern: RegExp, what: string): Rule =>
  (source) =>
    expressionsOf(source)
      .filter((text) => pattern.test(text))
      .map((text) => `${source.file}: ${what}: ${text.trim()}`);

const inSteps =
  (bad: (step: Step) => string | undefined): Rule =>
  (source) =>
    stepsOf(source).flatMap((step) => {
      const what = bad(step);
      return what === undefined ? [] : [`${source.file}: ${what}`];
    });

/** overprovisioned-secrets: all of them at once, or one whose name is computed. */
const secretsOneByOne = inExpressions(/toJSON\(\s*secrets\s*\)|\bsecrets\s*\[/i, 'secrets that nobody named');
/** unredacted-secrets: what is cut out of a secret is masked in no log. */
const secretsStayWhole = inExpressions(/fromJSON\(\s*secrets\b/i, 'a part of a secret');
/** bot-conditions: the actor is who pushed last, not who wrote the code. */
const actorsProveNothing = inExpressions(/github\.(?:triggering_)?actor\b/i, 'an actor as a proof');
/** unsound-contains: `contains('main', github.ref)` also holds for `ma`. */
const contains = inExpressions(/\bcontains\(\s*'/i, 'contains() of a text');
/** unsound-condition: `if` with braces and more text around them is a text, and every text is true. */
const conditionsAreOne: Rule = (source) =>
  [...jobsOf(source).map(([, job]) => job['if']), ...stepsOf(source).map((step) => step.if)]
    .filter((text): text is string => typeof text === 'string' && text.includes('${{'))
    .filter((text) => !/^\$\{\{(?:(?!\}\}).)*\}\}$/s.test(text))
    .map((text) => `${source.file}: a condition that is always true: ${text.trim()}`);

/** insecure-commands: switches on what let any output set variables. */
const noOldCommands: Rule = ({ file, text }) =>
  /ACTIONS_ALLOW_UNSECURE_COMMANDS|::(?:set-env|add-path|set-output)\b/.test(text) ? [`${file}: old commands`] : [];
/** github-env: what is written there reaches every later step. */
const environmentStays = inSteps(({ run = '' }) =>
  /\$\{?GITHUB_(?:ENV|PATH)\b/.test(run) ? 'a step changes the environment of later ones' : undefined,
);
/** template-injection, where a script is an input: github-script and the like. */
const scriptsAreLiteral = inSteps(({ with: inputs = {} }) =>
  Object.entries(inputs).some(([name, value]) => /script|command|run$/i.test(name) && /\$\{\{/.test(String(value)))
    ? 'an expression inside of a script'
    : undefined,
);
/** Pipe-to-shell: bytes that nobody checked. */
const nothingUnchecked = inSteps(({ run = '' }) =>
  /(?:curl|wget)\b[^\n]*\|\s*(?:sudo\s+)?(?:ba|z)?sh\b/.test(run) ? 'a download that is run unchecked' : undefined,
);
/** Actions that restore or keep a cache of the repository, by themselves or when told to. */
const cacheInputs = /^(?:cache|cache-from|cache-to|enable-cache|cache-dependency-path|use-cache)$/;
const restoresCache = ({ uses = '', with: inputs = {} }: Step): boolean =>
  /^[\w.-]+\/(?:[\w.-]*cache[\w.-]*)(?:\/|@)/.test(uses) ||
  Object.entries(inputs).some(
    ([name, value]) => cacheInputs.test(name) && !['', 'false', 'none'].includes(String(value).trim()),
  ) ||
  // Engines that take GitHub's cache by their own flags.
  /type=gha\b/.test(JSON.stringify(inputs));

/**
 * cache-poisoning: caches of main are restored by every job, and a pull request's run can fill one that main finds later.
 * A job that publishes or signs restores none, nor does one whose results such a job takes.
 */
const cachesStayOut: Rule = (source) => {
  const publishes = /id-token: write|\bsecrets\.|contents: write|environment:/.test(source.text);
  const caches = stepsOf(source).some((step) => restoresCache(step) || /type=gha\b/.test(step.run ?? ''));
  // An action runs in whatever job calls it.
  const isAction = /^runs:/m.test(source.text);
  return (publishes || isAction) && caches ? [`${source.file}: a cache beside what is published`] : [];
};

/** setup-node 5 caches by itself where package.json names a package manager. */
const nodeIsNotCached = inSteps(({ uses = '', with: inputs }) =>
  uses.startsWith('actions/setup-node@') && inputs?.['package-manager-cache'] !== false
    ? 'a cache of packages'
    : undefined,
);

/** self-hosted-runner: a machine that outlives a job, and its visitors. */
const runnersAreGitHubs: Rule = (source) =>
  jobsOf(source).flatMap(([name, job]) =>
    /self-hosted/.test(JSON.stringify(job['runs-on'] ?? '')) ? [`${source.file}: ${name} on a machine that stays`] : [],
  );

/** unpinned-images and hardcoded-container-credentials. */
const containersArePinned: Rule = (source) =>
  jobsOf(source).flatMap(([name, job]) => {
    const services = Object.values((job['services'] ?? {}) as Node);
    return [job['container'], ...services].flatMap((container) => {
      if (container === undefined) return [];
      const { image, credentials } = (typeof container === 'string' ? { image: container } : container) as Node;
      const password = (credentials as Readonly<Record<string, string>> | undefined)?.['password'];
      return [
        ...(/@sha256:[0-9a-f]{64}$/.test(String(image)) ? [] : [`${source.file}: ${name} starts ${String(image)}`]),
        ...(password === undefined || /^\$\{\{\s*secrets\.\w+\s*\}\}$/.test(password)
          ? []
          : [`${source.file}: ${name} holds a password`]),
      ];
    });
  });

/** A failure that does not count, in a job or in a step, lets through what it should have stopped. */
const failuresCount: Rule = ({ file, text }) =>
  /continue-on-error:/.test(text) ? [`${file}: a failure that does not count`] : [];

export const securityRules: readonly Rule[] = [
  secretsOneByOne,
  secretsStayWhole,
  actorsProveNothing,
  contains,
  conditionsAreOne,
  noOldCommands,
  environmentStays,
  scriptsAreLiteral,
  nothingUnchecked,
  cachesStayOut,
  nodeIsNotCached,
  runnersAreGitHubs,
  containersArePinned,
  failuresCount,
];
