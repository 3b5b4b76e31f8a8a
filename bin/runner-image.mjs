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
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

// Nothing has succeeded yet: only a command that came to its end says otherwise (scripts/ending.ts).
process.exitCode = 3;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const lib = join(root, 'lib');
const bundle = join(lib, 'runner-image.cjs');

function isFresh() {
  const made = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs;
  if (made === undefined) return false;
  // An installed package has no sources.
  if (!existsSync(join(root, 'src'))) return true;
  const list = join(lib, 'inputs.json');
  // Without its list a bundle may be of any age.
  const inputs = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : ['lib/inputs.json'];
  return inputs.every((name) => (statSync(`${root}/${name}`, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) <= made);
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

// Otherwise a long run would drop again the code that only its start needed, and none of it could be kept.
// Of a flag that a later V8 does not know, it would tell the user.
if (Number(process.versions.node.split('.')[0]) <= 24) setFlagsFromString('--no-flush-bytecode');

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
if (cachedData === undefined || script.cachedDataRejected)
  process.once('exit', (code) => void (code === 0 && keep(script, compiled)));
const module = { exports: {} };
script.runInThisContext()(module.exports, createRequire(bundle), module, bundle, lib);
