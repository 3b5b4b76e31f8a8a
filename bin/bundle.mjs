// Bundles scripts/runner-image.ts into lib/runner-image.cjs: one file, whose modules run when they are
// first asked for. It is renamed into place last: a command that starts meanwhile sees either the old bundle
// or the new one.
import { mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

// These stay in node_modules: they read files beside themselves (native addons, schemas, definitions).
const external = ['@cyclonedx/cyclonedx-library', '@grpc/grpc-js', 'dockerode', 'protobufjs'];

export async function makeBundle(root) {
  const { build } = await import('esbuild');
  const started = new Date();
  const out = join(root, 'lib');
  const fresh = join(out, `.new-${process.pid}`);
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { 'runner-image': 'scripts/runner-image.ts' },
    outdir: fresh,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    define: { 'import.meta.url': '__url', 'import.meta.dirname': '__dirname' },
    external,
    metafile: true,
    sourcemap: 'linked',
    // Less text to read at every start; names stay, for readable stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
    banner: { js: "const __url=require('node:url').pathToFileURL(__filename).href;" },
  });
  const made = join(fresh, 'runner-image.cjs');
  const own = Object.keys(metafile.inputs).filter((name) => !/(?:^|\/)node_modules\//.test(name));
  await writeFile(join(fresh, 'inputs.json'), JSON.stringify([...own, 'bin/bundle.mjs'].sort()));
  // A source file that changed while esbuild read it must count as newer than the bundle.
  await utimes(made, started, started);
  await mkdir(out, { recursive: true });
  const names = ['runner-image.cjs.map', 'inputs.json', 'runner-image.cjs'];
  for (const name of names) await rename(join(fresh, name), join(out, name));
  await rm(fresh, { recursive: true, force: true });
  // Compiled code and plans of the old bundle.
  const old = (await readdir(out)).filter((name) => !names.includes(name) && !name.startsWith('.new-'));
  await Promise.all(old.map((name) => rm(join(out, name), { recursive: true, force: true, maxRetries: 3 })));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href || basename(process.argv[1] ?? '') === 'bundle.mjs') {
  await makeBundle(join(import.meta.dirname, '..'));
}
