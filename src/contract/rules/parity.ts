import type { Finding, Location, RuleInfo } from '../../core/index.ts';
import type { CrossRule, RuleContext } from '../context.ts';
import { searchPath } from '../executable.ts';
import { finding } from '../finding.ts';
import { redactSecrets } from '../secrets/text.ts';
import { toolVersions } from '../tools.ts';
import { basename, dirname, isUnder, lookup, octal } from '../tree.ts';

const image: Location = { $case: 'image' };

/** A pair to compare: every platform is held against the first. */
function pairs(contexts: readonly RuleContext[]): [RuleContext, RuleContext][] {
  const [first, ...others] = contexts;
  return first === undefined ? [] : others.map((other) => [first, other]);
}

const show = (value: string | undefined): string =>
  value === undefined ? 'none' : JSON.stringify(redactSecrets(value).slice(0, 120));

/** The CPU's name in paths and values is the one difference that is meant. */
const cpu = /x86[_-]64|amd64|\bx64\b|(?<=[-_.])x64(?=[-_./]|$)|aarch64|arm64/g;
const neutral = (text: string): string => text.replace(cpu, '{cpu}');

function differing(
  info: RuleInfo,
  [a, b]: readonly [RuleContext, RuleContext],
  what: string,
  one: ReadonlyMap<string, string>,
  two: ReadonlyMap<string, string>,
  at: (key: string) => Location,
): Finding[] {
  return [...new Set([...one.keys(), ...two.keys()])].sort().flatMap((key): Finding[] => {
    const [left, right] = [one.get(key), two.get(key)];
    if (left !== undefined && right !== undefined && neutral(left) === neutral(right)) return [];
    const message = `${what} ${key} must be the same on every platform; ${a.picture.platform} has ${show(left)}, ${b.picture.platform} has ${show(right)}`;
    return [finding(info, key, message, at(key))];
  });
}

const config: RuleInfo = {
  id: 'contract/parity-config',
  severity: 'error',
  section: '6',
  summary: 'Labels, environment, user, ports and start command are the same on every platform.',
  remediation:
    'Build every platform from the same plan; an index with one odd child expires, starts or is described differently.',
};

function settings({ picture }: RuleContext): Map<string, string> {
  const { User, WorkingDir, Entrypoint, Cmd, ExposedPorts, StopSignal } = picture.config.config ?? {};
  return new Map([
    ['User', User ?? ''],
    ['WorkingDir', WorkingDir ?? ''],
    ['Entrypoint', JSON.stringify(Entrypoint ?? [])],
    ['Cmd', JSON.stringify(Cmd ?? [])],
    [
      'ExposedPorts',
      Object.keys(ExposedPorts ?? {})
        .sort()
        .join(' '),
    ],
    ['StopSignal', StopSignal ?? ''],
  ]);
}

/** Labels of the base that are its own build's facts may differ: UBI's say when and where it was built. */
function comparableLabels({ labels, base }: RuleContext): Map<string, string> {
  const theirs = base?.config.config?.Labels ?? {};
  return new Map(Object.entries(labels).filter(([name, value]) => theirs[name] !== value && name !== 'architecture'));
}

export const parityConfig: CrossRule = {
  info: config,
  check: (contexts) =>
    pairs(contexts).flatMap((pair) => {
      const [a, b] = pair;
      const key =
        (prefix: string) =>
        (name: string): Location => ({ $case: 'config', key: `${prefix}${name}` });
      return [
        ...differing(config, pair, 'label', comparableLabels(a), comparableLabels(b), key('Labels.')),
        ...differing(config, pair, 'ENV', a.env, b.env, key('Env.')),
        ...differing(config, pair, 'setting', settings(a), settings(b), key('')),
      ];
    }),
};

const paths: RuleInfo = {
  id: 'contract/parity-paths',
  severity: 'error',
  section: '6',
  summary: 'Required paths and commands are the same on every platform, with the same owner and mode.',
  remediation:
    'Find the instruction that behaves differently on one CPU (a download that failed quietly, a package that is not built for it).',
};

/** What the contract names, and every command that PATH finds in directories of this project's own. */
function inventory({ picture: { tree }, profile, env, census }: RuleContext): Map<string, string> {
  const facts = new Map<string, string>();
  for (const { path } of profile.paths) {
    const found = lookup(tree, path)?.entry;
    if (found !== undefined) facts.set(path, `${found.type} ${octal(found.mode)} ${found.uid}:${found.gid}`);
  }
  const directories = new Set(searchPath(env).filter((path) => profile.owned.some((owned) => isUnder(path, owned))));
  for (const path of census.commands)
    if (directories.has(dirname(path))) facts.set(`${dirname(path)}/${neutral(basename(path))}`, 'a command');
  return facts;
}

export const parityPaths: CrossRule = {
  info: paths,
  check: (contexts) =>
    pairs(contexts).flatMap((pair) =>
      differing(paths, pair, 'path', inventory(pair[0]), inventory(pair[1]), (path) => ({ $case: 'path', path })),
    ),
};

const tools: RuleInfo = {
  id: 'contract/parity-tools',
  severity: 'error',
  section: '6',
  summary: 'Tools and packages have the same versions on every platform.',
  remediation: 'Pin the version, or build the platforms from the same locks at the same time.',
};

export const parityTools: CrossRule = {
  info: tools,
  check: (contexts) =>
    pairs(contexts).flatMap((pair) =>
      differing(tools, pair, 'version of', toolVersions(pair[0]), toolVersions(pair[1]), () => image),
    ),
};
