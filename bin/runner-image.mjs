#!/usr/bin/env node
// Starts the bundled command, making the bundle anew when a source file is newer than it. What V8
// compiled for a command is kept beside the bundle: most of a short command's time would be compiling.
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const lib = join(root, 'lib');
const bundle = join(lib, 'runner-image.cjs');

function isFresh() {
  const made = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs;
  if (made === undefined) return false;
  // An installed package has no sources.
  if (!existsSync(join(root, 'src'))) return true;
  const list = join(lib, 'inputs.json');
  const inputs = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [list];
  return inputs.every((name) => (statSync(join(root, name), { throwIfNoEntry: false })?.mtimeMs ?? Infinity) <= made);
}

/** The bundle's text, and a name that no other bundle's compiled code has: V8 itself compares lengths only. */
function readBundle() {
  const file = openSync(bundle, 'r');
  try {
    const { ino, size, mtimeMs } = fstatSync(file);
    return {
      source: readFileSync(file, 'latin1'),
      name: `${ino}-${size}-${mtimeMs}-${process.version}-${process.arch}`,
    };
  } finally {
    closeSync(file);
  }
}

/** keep writes the compiled code when the command has done its work; where lib/ is not ours, it only costs time. */
function keep(script, path) {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.${process.pid}`, script.createCachedData(), { mode: 0o600 });
    renameSync(`${path}.${process.pid}`, path);
  } catch {
    // The next command compiles again.
  }
}

if (!isFresh()) {
  const { makeBundle } = await import(pathToFileURL(join(root, 'bin', 'bundle.mjs')).href);
  await makeBundle(root);
}
const { source, name } = readBundle();
// Each command compiles other functions. What is no command's name has no file of its own.
const command = /^[a-z][a-z-]{0,20}$/.exec(process.argv[2] ?? '')?.[0] ?? 'help';
const compiled = join(lib, 'compiled', `${command}-${name}`);
const cachedData = existsSync(compiled) ? readFileSync(compiled) : undefined;
const script = new Script(source, { filename: bundle, ...(cachedData === undefined ? {} : { cachedData }) });
if (cachedData === undefined || script.cachedDataRejected) {
  // In a long run V8 drops again what only the start needed, so its code is kept while it is young.
  let kept = false;
  const keepOnce = () => {
    if (!kept) keep(script, compiled);
    kept = true;
  };
  setTimeout(keepOnce, 2000).unref();
  process.once('exit', (code) => void (code === 0 && keepOnce()));
}
const module = { exports: {} };
script.runInThisContext()(module.exports, createRequire(bundle), module, bundle, lib);
