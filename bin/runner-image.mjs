#!/usr/bin/env node
// Starts the command on a Node that can run it: this one, or the one that package-lock.json pins. No syntax and no
// import here may be newer than Node 18, which has to get as far as saying so.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// Nothing has succeeded yet: only a command that came to its end says otherwise (scripts/ending.ts).
process.exitCode = 3;

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const { engines } = require('../package.json');

/** Returns whether this Node is at least the one that package.json asks for (`>=major.minor`). */
function isSupported() {
  const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node).map(Number);
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

/** Returns the path of the Node that the lock pins; undefined where it is not installed, or is the one that runs. */
function pinnedNode() {
  try {
    const found = realpathSync(require.resolve(`node-${process.platform}-${process.arch}/bin/node`));
    return found === process.execPath ? undefined : found;
  } catch {
    return undefined;
  }
}

/** Runs this very command on another Node: same arguments, same streams, its exit code or signal is ours. */
function handOver(node) {
  const child = spawn(node, [...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit' });
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  // A terminal sends Ctrl-C to both: sent on, it would reach the child twice, and twice means "at once".
  process.on('SIGINT', () => terminal || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`cannot start ${node} (${error.code}): run \`npm ci\` in ${dirname(here)} again`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function fail(sentence) {
  process.stderr.write(`error: ${sentence}\n`);
  process.exitCode = 4;
}

const node = isSupported() ? undefined : pinnedNode();
if (node !== undefined) {
  handOver(node);
} else if (isSupported()) {
  const { start } = await import(pathToFileURL(join(here, 'start.mjs')).href);
  await start(fail);
} else {
  const needed = `runner-image needs Node ${engines.node.slice(2)} or newer and this is ${process.versions.node}`;
  // A checkout's lock brings a Node along; an installed package is 6 MB, and a Node would be 126.
  const isCheckout = existsSync(join(dirname(here), 'package-lock.json'));
  fail(
    isCheckout && process.platform === 'linux' && /^(?:x64|arm64)$/.test(process.arch)
      ? `${needed}: run \`make install\` or \`npm ci\` in ${dirname(here)}, which installs one for this project alone`
      : `${needed}: install it from https://nodejs.org`,
  );
}
