// Runs the bundled command, making the bundle anew when a source file is newer than it.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire, enableCompileCache } from 'node:module';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
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

/** Runs what process.argv says; `fail` receives a sentence that says what keeps the command from starting. */
export async function start(fail) {
  if (!isFresh()) {
    if (!existsSync(join(root, 'src')))
      return fail('this package was packed without its program: pack it with `npm run package`, in a checkout');
    if (!existsSync(join(root, 'node_modules', 'esbuild')))
      return fail(`the packages are not installed: run \`make install\` or \`npm ci\` in ${root}`);
    const { makeBundle } = await import('./bundle.mjs');
    await makeBundle(root);
  }
  // Each command compiles other functions, and Node keeps what the first one compiled. What is no command's name has no
  // folder of its own. Where lib/ is another user's, nothing is kept, and each start takes longer.
  const command = /^[a-z][a-z-]{0,20}$/.exec(process.argv[2] ?? '')?.[0] ?? 'help';
  enableCompileCache(join(lib, 'compiled', command));
  createRequire(import.meta.url)(bundle);
}
