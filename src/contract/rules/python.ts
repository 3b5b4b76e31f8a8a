import type { Finding, RuleInfo } from '../../core/index.ts';
import { compareVersions } from '../../core/version.ts';
import { obstacleTo } from '../access.ts';
import type { Rule, RuleContext } from '../context.ts';
import { searchPath } from '../executable.ts';
import { atPath, finding } from '../finding.ts';
import { moduleFile, pythonOf } from '../python.ts';

const version: RuleInfo = {
  id: 'contract/python-version',
  severity: 'error',
  section: '3.2',
  summary: 'The Python on PATH is new enough.',
  remediation: 'Put a newer Python first on PATH; other versions may stay beside it.',
};

export const pythonVersion: Rule = {
  info: version,
  check(context) {
    const { minimum } = context.contract.python;
    const python = pythonOf(context);
    if (python === undefined) {
      const message = `Python ${minimum} or newer must be on PATH; no python3 is in ${searchPath(context.env).join(':')}`;
      return [finding(version, 'python3', message, { $case: 'config', key: 'Env.PATH' })];
    }
    const location = atPath(context, python.executable);
    if (python.version === undefined) {
      const message = `Python ${minimum} or newer must be on PATH; ${python.executable} has no library that shows its version`;
      return [finding(version, 'python3', message, location)];
    }
    if ((compareVersions(python.version, minimum) ?? -1) >= 0) return [];
    const message = `Python ${minimum} or newer must be on PATH; ${python.command} is ${python.version}`;
    return [finding(version, 'python3', message, location)];
  },
};

const sameMinor: RuleInfo = {
  id: 'contract/python-same',
  severity: 'error',
  section: '3.2',
  summary: "uvicorn runs under the base's Python major.minor.",
  remediation: "Leave the base's Python first on PATH and give an additional one its own name or directory.",
};

export const pythonSame: Rule = {
  info: sameMinor,
  check(context) {
    if (!context.profile.derived) return [];
    if (context.base === undefined) {
      context.undecided(sameMinor, 'the base image is not known');
      return [];
    }
    // The base-layers rule has said that it is another base.
    if (context.baseLayers < context.base.config.rootfs.diff_ids.length) return [];
    const [own, theirs] = [pythonOf(context), pythonOf(context, context.baseEnv)];
    if (own === undefined || own.version === undefined) return [];
    // The base's own interpreter may itself have been replaced: its layers then no longer show which it was.
    if (theirs?.version === undefined || theirs.layer >= context.baseLayers) {
      if (own.layer < context.baseLayers) return [];
      const message = `the base's Python must stay first on PATH; ${own.command} is ${own.executable}, which the base did not bring`;
      return [finding(sameMinor, 'python3', message, atPath(context, own.executable))];
    }
    if (theirs.version === own.version) return [];
    const message = `the base's Python ${theirs.version} (${theirs.command}) must stay first on PATH; ${own.command} is ${own.version}`;
    return [finding(sameMinor, 'python3', message, atPath(context, own.executable))];
  },
};

/** A module must be found, and be readable by the user that runs the image. */
function importable(context: RuleContext, info: RuleInfo, name: string, why: string): Finding[] {
  const python = pythonOf(context);
  if (python === undefined) return [];
  const file = moduleFile(context.picture.tree, python.path, name);
  if (file === undefined) {
    const where = python.path.length === 0 ? 'its library has no site-packages' : `searched ${python.path.join(', ')}`;
    const message = `${why} must be importable by ${python.command}; module ${name} is absent (${where})`;
    return [finding(info, name, message, { $case: 'path', path: `${name.replaceAll('.', '/')}/__init__.py` })];
  }
  const obstacle = obstacleTo(context.picture.tree, context.arbitrary, file, 'r');
  if (obstacle === undefined) return [];
  const message = `${why} must be readable by ${context.arbitrary.name}; ${obstacle.because}`;
  return [finding(info, name, message, atPath(context, obstacle.path))];
}

const runner: RuleInfo = {
  id: 'contract/runner-package',
  severity: 'error',
  section: '3.2',
  summary: 'The runner package and its server are importable by the Python on PATH.',
  remediation: 'Install the package for the Python that is first on PATH, readable by everyone.',
};

export const runnerPackage: Rule = {
  info: runner,
  check: (context) => [
    ...importable(context, runner, context.contract.python.package, 'the runner package'),
    ...importable(context, runner, context.contract.python.server, 'the server'),
  ],
};

const bridges: RuleInfo = {
  id: 'contract/bridge',
  severity: 'error',
  section: '3.7',
  summary: 'The bridge of every supported RUNNER_TYPE is in the image.',
  remediation: 'Install the runner with all of its bridges; a type that is not wanted needs a waiver.',
};

export const bridgesPresent: Rule = {
  info: bridges,
  check(context) {
    const python = pythonOf(context);
    const whole = python && moduleFile(context.picture.tree, python.path, context.contract.python.package);
    // Without the package every bridge is missing, and the runner-package rule has said so.
    if (whole === undefined) return [];
    return Object.entries(context.contract.bridges).flatMap(([type, module]) =>
      importable(context, bridges, module, `the bridge of RUNNER_TYPE ${type}`),
    );
  },
};

const main: RuleInfo = {
  id: 'contract/main',
  severity: 'error',
  section: '3.3',
  summary: "The application's main file lies in the application directory.",
  remediation: 'Leave the application where the base put it.',
};

export const mainFile: Rule = {
  info: main,
  check(context) {
    const path = `${context.profile.application}/${context.contract.python.main}`;
    const obstacle = obstacleTo(context.picture.tree, context.arbitrary, path, 'r');
    if (obstacle === undefined) return [];
    const message = `${path} must hold the application and be readable by ${context.arbitrary.name}; ${obstacle.because}`;
    return [finding(main, path, message, atPath(context, obstacle.path))];
  },
};
