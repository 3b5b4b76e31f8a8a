// Bundles scripts/runner-image.ts and every package it uses into lib/runner-image.cjs: one file, whose modules run when
// they are first asked for. It is renamed into place last: a command that starts meanwhile sees either the old bundle
// or the new one.
import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

// Optional packages that are not installed: XML plug-ins of @cyclonedx/cyclonedx-library, a native addon of ssh2.
const external = ['libxmljs2', 'xmlbuilder2', 'cpu-features'];

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
    // The package, not Node's own module of that name, which warns that it is going away.
    alias: { punycode: 'punycode/punycode.js' },
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
  const inputs = Object.keys(metafile.inputs);
  const own = inputs.filter((name) => !name.includes('node_modules/'));
  await writeFile(join(fresh, 'inputs.json'), JSON.stringify([...own, 'bin/bundle.mjs'].sort()));
  await writeFile(join(fresh, 'licenses.txt'), await licensesOf(root, inputs));
  // A source file that changed while esbuild read it must count as newer than the bundle.
  await utimes(made, started, started);
  await mkdir(out, { recursive: true });
  const names = ['runner-image.cjs.map', 'inputs.json', 'licenses.txt', 'runner-image.cjs'];
  for (const name of names) await rename(join(fresh, name), join(out, name));
  await rm(fresh, { recursive: true, force: true });
  // Compiled code and plans of the old bundle.
  const old = (await readdir(out)).filter((name) => !names.includes(name) && !name.startsWith('.new-'));
  await Promise.all(old.map((name) => rm(join(out, name), { recursive: true, force: true, maxRetries: 3 })));
}

/** Returns the licence texts of the packages that went into the bundle, which their licences want to go with it. */
async function licensesOf(root, inputs) {
  const folders = new Set(inputs.flatMap((name) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? []));
  const texts = [...folders].sort().map(async (folder) => {
    const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
    const files = (await readdir(join(root, folder))).filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file));
    const read = await Promise.all(files.map((file) => readFile(join(root, folder, file), 'utf8')));
    return [
      `${name} ${version}${license === undefined ? '' : ` (${license})`}`,
      ...read.map((text) => text.trim()),
    ].join('\n\n');
  });
  return `${(await Promise.all(texts)).join(`\n\n${'-'.repeat(72)}\n\n`)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href || basename(process.argv[1] ?? '') === 'bundle.mjs') {
  await makeBundle(join(import.meta.dirname, '..'));
}
