import { lineage, type Stage } from '../../dockerfile/index.ts';
import { options } from '../shell/downloads.ts';
import type { Flat } from '../shell/flat.ts';
import { commandRule, shorten, texts, type Rule } from '../rule.ts';

const operands = (flat: Flat, valued: readonly string[] = []): readonly string[] =>
  options(flat.args, new Set(valued)).rest.filter((text) => !/^\d*[<>]/.test(text));

const upgrades: Readonly<Record<string, readonly string[]>> = {
  dnf: ['upgrade', 'update', 'up', 'distro-sync', 'dsync', 'upgrade-minimal', 'update-minimal', 'system-upgrade'],
  yum: ['upgrade', 'update', 'distro-sync', 'update-minimal', 'upgrade-minimal'],
  microdnf: ['upgrade', 'update'],
  apt: ['upgrade', 'dist-upgrade', 'full-upgrade'],
  'apt-get': ['upgrade', 'dist-upgrade', 'full-upgrade'],
  aptitude: ['upgrade', 'safe-upgrade', 'full-upgrade', 'dist-upgrade'],
  apk: ['upgrade'],
  zypper: ['up', 'update', 'dup', 'dist-upgrade', 'patch'],
};

/** Options of the package managers that take a value, so that the value is not read as the command. */
const managerValued =
  '-c --config -x --exclude --setopt --installroot --releasever --repo --enablerepo --disablerepo -o -t -p --root -X --repository'.split(
    ' ',
  );

const distributionUpgrade = commandRule(
  {
    id: 'dockerfile/distribution-upgrade',
    severity: 'error',
    section: 'D3',
    summary: 'No upgrade of the whole distribution: what the image holds would depend on the day.',
    remediation: 'move the base image’s digest instead',
  },
  (one) => {
    const pacman = one.name === 'pacman' && texts(one.args).some((text) => /^-S[a-z]*u/.test(text));
    const command = pacman ? '-Syu' : (operands(one, managerValued)[0] ?? '');
    if (!pacman && upgrades[one.name]?.includes(command) !== true) return undefined;
    // `dnf upgrade openssl` moves one package.
    if (!pacman && operands(one, managerValued).length > 1) return undefined;
    const subject = `${one.name} ${command}`;
    return { subject, message: `${subject} moves every package: expected the versions of the pinned base` };
  },
);

function npmProblem(flat: Flat): string | undefined {
  const all = texts(flat.args);
  const rest = operands(flat, ['--prefix', '-C', '--registry', '--cache', '--omit', '--workspace', '-w']);
  const [command, ...targets] = rest;
  const global = all.some((text) => text === '-g' || text === '--global' || text === '--location=global');
  if (flat.name === 'npx' || flat.name === 'bunx') return `${flat.name} runs a package that no lock names`;
  if (flat.name === 'npm') {
    if (command === 'exec' || command === 'x') return 'npm exec runs a package that no lock names';
    if (!['install', 'i', 'in', 'add', 'update', 'up', 'isntall'].includes(command ?? '')) return undefined;
    if (all.includes('--package-lock-only')) return undefined;
    return global
      ? `npm ${command ?? ''} -g ${shorten(targets.join(' '), 40)} takes no lock`
      : `npm ${command ?? ''} may resolve anew and rewrites the lock`;
  }
  const frozen = all.some((text) => ['--frozen-lockfile', '--immutable', '--frozen'].includes(text));
  if (flat.name === 'yarn')
    return command === 'add' ||
      command === 'global' ||
      command === 'dlx' ||
      ((command === undefined || command === 'install') && !frozen && !all.includes('--version'))
      ? 'yarn takes what it resolves now'
      : undefined;
  if (flat.name === 'pnpm' || flat.name === 'bun') {
    if (['add', 'dlx', 'update', 'x'].includes(command ?? ''))
      return `${flat.name} ${command ?? ''} takes what it resolves now`;
    return (command === 'install' || command === 'i') && !frozen
      ? `${flat.name} ${command} without --frozen-lockfile`
      : undefined;
  }
  return undefined;
}

function rule(
  info: Omit<Rule['info'], 'section' | 'severity'>,
  problem: (flat: Flat) => string | undefined,
  expected: string,
): Rule {
  return commandRule({ ...info, severity: 'error', section: 'D3' }, (one) => {
    const found = problem(one);
    if (found === undefined) return undefined;
    const subject = shorten([one.name, ...texts(one.args)].join(' '), 60);
    return { subject, message: `${found}: expected ${expected}` };
  });
}

const npmUnlockedRule = rule(
  {
    id: 'dockerfile/npm-unlocked',
    summary: 'npm, yarn, pnpm and bun install from a committed lock with integrity, and nothing globally.',
    remediation: 'commit package.json and package-lock.json, COPY them and run npm ci',
  },
  npmProblem,
  'npm ci with a committed package-lock.json',
);

/** npx behind `npm ci` runs what the lock installed, unless it names a version. */
const npmUnlocked: Rule = {
  info: npmUnlockedRule.info,
  *check(lint) {
    const installed = new Map<Stage, number>();
    for (const { stage, flat } of lint.runs)
      for (const { name, args, offset } of flat.commands)
        if (
          stage !== undefined &&
          name === 'npm' &&
          args.some(({ value }) => /^(?:ci|clean-install)$/.test(value.value))
        )
          installed.set(stage, Math.min(installed.get(stage) ?? Infinity, offset));
    const npx = new Map<number, Stage | undefined>();
    for (const { stage, flat } of lint.runs)
      for (const { name, args, offset } of flat.commands)
        if (name === 'npx' && !args.some(({ value }) => /.@/.test(value.value) || value.value === '-p'))
          npx.set(offset, stage);
    for (const problem of npmUnlockedRule.check(lint)) {
      const stage = npx.get(problem.offset);
      const since = stage === undefined ? [] : lineage(stage).map((one) => installed.get(one) ?? Infinity);
      if (!since.some((offset) => offset < problem.offset)) yield problem;
    }
  },
};

const isLocal = (text: string): boolean => /^(?:\.{0,2}\/|\.$|\.\[)/.test(text) || text.startsWith('file:');

function pipProblem(flat: Flat): string | undefined {
  let args = texts(flat.args);
  let tool = flat.name;
  if (/^python[0-9.]*$/.test(tool) && args[0] === '-m' && /^(?:pip|uv)$/.test(args[1] ?? '')) {
    tool = args[1] ?? '';
    args = args.slice(2);
  }
  if (tool === 'uvx' || tool === 'pipx') return `${tool} takes what it resolves now`;
  if (tool === 'uv') {
    const rest = args.filter((text) => !text.startsWith('-'));
    if (rest[0] === 'sync' || rest[0] === 'run')
      return args.some((text) => ['--locked', '--frozen', '--no-sync'].includes(text)) ||
        (rest[0] === 'run' && args.includes('--no-project'))
        ? undefined
        : `uv ${rest[0]} may resolve anew`;
    if (rest[0] === 'add' || (rest[0] === 'tool' && (rest[1] === 'install' || rest[1] === 'run')))
      return `uv ${rest.slice(0, 2).join(' ')} takes what it resolves now`;
    if (rest[0] !== 'pip' || (rest[1] !== 'install' && rest[1] !== 'sync')) return undefined;
    args = args.slice(args.indexOf('pip') + 1);
  } else if (!/^pip[0-9.]*$/.test(tool)) return undefined;
  const [command] = args.filter((text) => !text.startsWith('-'));
  if (!['install', 'sync', 'download', 'wheel'].includes(command ?? '')) return undefined;
  // Without an index there is nothing but the files that are there.
  if (args.includes('--require-hashes') || args.includes('--no-index')) return undefined;
  const targets = args.slice(args.indexOf(command ?? '') + 1).filter((text) => !text.startsWith('-'));
  // A local tree without its dependencies brings nothing from outside.
  if (
    args.includes('--no-deps') &&
    !args.some((text) => /^(?:-r|--requirement)/.test(text)) &&
    targets.length > 0 &&
    targets.every(isLocal)
  )
    return undefined;
  return `${tool}${tool === 'uv' ? ' pip' : ''} ${command ?? ''} checks no hashes`;
}

const pipUnhashed = rule(
  {
    id: 'dockerfile/pip-unhashed',
    summary: 'Python packages come from a lock with hashes.',
    remediation:
      'use uv sync --locked, or pip install --require-hashes -r requirements.txt with every hash in the file',
  },
  pipProblem,
  'uv sync --locked or pip install --require-hashes',
);

function otherProblem(flat: Flat): string | undefined {
  const args = texts(flat.args);
  const rest = args.filter((text) => !text.startsWith('-'));
  if (flat.name === 'go' && (rest[0] === 'install' || rest[0] === 'run' || rest[0] === 'get')) {
    // The module proxy's checksum database covers exact versions only.
    const open = rest.slice(1).find((text) => text.includes('@') && !/@v\d+\.\d+\.\d+/.test(text));
    return open === undefined ? undefined : `go ${rest[0]} ${shorten(open, 60)} names no exact version`;
  }
  if (flat.name === 'cargo' && rest[0] === 'install')
    return args.includes('--locked') || args.includes('--frozen') ? undefined : 'cargo install ignores the lock';
  if (flat.name === 'gem' && rest[0] === 'install') return 'gem install checks no lock';
  if (flat.name === 'bundle' && rest[0] === 'install')
    return args.some((text) => text === '--frozen' || text === '--deployment')
      ? undefined
      : 'bundle install may resolve anew';
  return undefined;
}

const unlockedInstall = rule(
  {
    id: 'dockerfile/unlocked-install',
    summary: 'go, cargo, gem and bundle install exact versions from a lock.',
    remediation:
      'name an exact version (go install module@v1.2.3) or install from a committed lock (cargo install --locked)',
  },
  otherProblem,
  'an exact version from a lock',
);

export const packageRules: readonly Rule[] = [distributionUpgrade, npmUnlocked, pipUnhashed, unlockedInstall];
