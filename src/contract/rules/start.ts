import type { Finding, ImageConfig, RuleInfo } from '../../core/index.ts';
import { obstacleTo } from '../access.ts';
import type { Rule, RuleContext } from '../context.ts';
import { executableAt, which } from '../executable.ts';
import { atConfig, finding } from '../finding.ts';
import { redactSecrets } from '../secrets/text.ts';
import { basename } from '../tree.ts';

/** The runtime runs ENTRYPOINT followed by CMD (image-spec config.md). */
const argvOf = (config: ImageConfig): string[] => [...(config.config?.Entrypoint ?? []), ...(config.config?.Cmd ?? [])];

const show = (argv: readonly string[]): string => redactSecrets(JSON.stringify(argv)).slice(0, 240);
const same = (a: readonly string[], b: readonly string[]): boolean => JSON.stringify(a) === JSON.stringify(b);

const start: RuleInfo = {
  id: 'contract/start-command',
  severity: 'error',
  section: '3.4',
  summary: 'The start command is there and can be run by the users that run it.',
  remediation: 'Name an executable of the image in CMD or ENTRYPOINT and give it the x bit for everyone.',
};

export const startCommand: Rule = {
  info: start,
  check(context) {
    const { picture, env } = context;
    const [program] = argvOf(picture.config);
    const location = atConfig(context, 'Cmd', 'CMD');
    if (program === undefined || program === '')
      return [finding(start, 'Cmd', 'CMD or ENTRYPOINT must start the runner; both are empty', location)];
    const path = which(picture.tree, program, env, picture.config.config?.WorkingDir ?? '/');
    if (path === undefined)
      return [
        finding(start, 'Cmd', `the start command must exist; ${JSON.stringify(program)} is not in the image`, location),
      ];
    // A start script that the contract names has its access held by the access rules.
    const named = context.profile.paths.some((spec) => spec.path === path);
    const what = executableAt(picture, path, env);
    if (what.$case === 'not-executable' && named) return [];
    if (what.$case === 'not-executable')
      return [finding(start, 'Cmd', `the start command must be executable; ${what.path}: ${what.why}`, location)];
    if (what.$case === 'script' && what.shebang !== undefined && what.exe === undefined) {
      const message = `the start command ${path} must have an interpreter; ${JSON.stringify(what.shebang)} names none that is in the image`;
      return [finding(start, 'Cmd', message, location)];
    }
    const obstacle = obstacleTo(picture.tree, context.arbitrary, path, what.$case === 'script' ? 'rx' : 'x');
    if (obstacle === undefined || named) return [];
    const message = `${context.arbitrary.name} must be able to run ${path}; ${obstacle.because}`;
    return [finding(start, 'Cmd', message, location)];
  },
};

const entrypoint: RuleInfo = {
  id: 'contract/entrypoint',
  severity: 'warning',
  section: '3.4',
  summary: "The base's start command is kept, or run with exec by a wrapper.",
  remediation:
    'Leave CMD and ENTRYPOINT alone, or end the wrapper with `exec` of the original command so that SIGTERM reaches the runner.',
};

/** A shell's last act must be exec: otherwise the shell stays PID 1 and keeps the signals. */
function execs(script: string, original: readonly string[], passedOn: boolean): boolean {
  const programs = original.filter((word) => word.startsWith('/') || basename(word) !== '').slice(0, 1);
  return script.split(/\n|;|&&|\|\|/).some((statement) => {
    const words = statement.trim();
    if (!/^exec\s/.test(words)) return false;
    return (passedOn && /"?\$(?:@|\{@\})"?/.test(words)) || programs.some((program) => words.includes(program));
  });
}

function isWrapper(context: RuleContext, argv: readonly string[], original: readonly string[]): boolean {
  const [program = ''] = argv;
  const passedOn = argv.length > original.length && same(argv.slice(-original.length), original);
  const shell = /(?:^|\/)(?:ba|da|z|k)?sh$/.test(program);
  if (shell && argv[1]?.startsWith('-') === true) return execs(argv.slice(2).join(' '), original, false);
  const path = which(context.picture.tree, shell ? (argv[1] ?? '') : program, context.env);
  const what = path === undefined ? undefined : executableAt(context.picture, path, context.env);
  if (what === undefined || what.$case === 'missing') return false;
  // A program such as tini runs the command that it is handed; its own code cannot be read here.
  if (what.$case === 'binary') return passedOn;
  const script = context.picture.contents.get(what.path);
  return script !== undefined && execs(Buffer.from(script).toString('utf8'), original, passedOn);
}

export const entrypointKept: Rule = {
  info: entrypoint,
  check(context): Finding[] {
    if (!context.profile.derived) return [];
    if (context.base === undefined) {
      context.undecided(entrypoint, 'the base image is not known');
      return [];
    }
    const [own, original] = [argvOf(context.picture.config), argvOf(context.base.config)];
    if (same(own, original) || isWrapper(context, own, original)) return [];
    const message = `the base's start command ${show(original)} should be kept or run with exec; it is ${show(own)}`;
    const keyword = same(context.picture.config.config?.Entrypoint ?? [], context.base.config.config?.Entrypoint ?? [])
      ? 'CMD'
      : 'ENTRYPOINT';
    return [
      finding(entrypoint, 'Entrypoint', message, atConfig(context, keyword === 'CMD' ? 'Cmd' : 'Entrypoint', keyword)),
    ];
  },
};
