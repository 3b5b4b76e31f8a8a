#!/usr/bin/env node
// Starts the bundled command (fast), making the bundle anew when a source file is newer than it.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bundle = join(root, 'lib', 'runner-image.js');

function newest(directory) {
  let time = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return time;
}

function isFresh() {
  if (!existsSync(bundle)) return false;
  const made = statSync(bundle).mtimeMs;
  return ['src', 'scripts', 'test/lab'].every((name) => {
    const directory = join(root, name);
    return !existsSync(directory) || newest(directory) <= made;
  });
}

if (!isFresh()) {
  const { makeBundle } = await import(pathToFileURL(join(root, 'bin', 'bundle.mjs')).href);
  await makeBundle(root);
}
await import(pathToFileURL(bundle).href);
