// Bundles scripts/runner-image.ts into lib/: one entry and one chunk per lazily loaded command, so
// that a command starts in about 0.1 s. The chunks are written first and the entry is renamed into
// place last: a command that starts meanwhile sees either the old bundle or the new one.
import { mkdir, readdir, rename, rm, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

// A package that is imported lazily stays in node_modules: most are CommonJS, whose names esbuild cannot
// give to a dynamic import, and some read files beside themselves.
const lazyPackages = {
  name: 'lazy-packages',
  setup({ onResolve }) {
    onResolve({ filter: /^[^.]/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    );
  },
};

export async function makeBundle(root) {
  const { build } = await import('esbuild');
  const started = new Date();
  const out = join(root, 'lib');
  const fresh = join(out, `.new-${process.pid}`);
  await build({
    absWorkingDir: root,
    entryPoints: ['scripts/runner-image.ts'],
    outdir: fresh,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'linked',
    // Less text to compile at every start; names stay, for readable stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
    plugins: [lazyPackages],
    banner: {
      js: "import { createRequire as __makeRequire } from 'node:module'; const require = __makeRequire(import.meta.url);",
    },
  });
  await mkdir(out, { recursive: true });
  const names = (await readdir(fresh)).sort(
    (a, b) => Number(a.startsWith('runner-image.js')) - Number(b.startsWith('runner-image.js')),
  );
  for (const name of names) await rename(join(fresh, name), join(out, name));
  // A source file that changed while esbuild read it must count as newer than the bundle.
  await utimes(join(out, 'runner-image.js'), started, started);
  await rm(fresh, { recursive: true, force: true });
  const keep = new Set(names);
  const old = (await readdir(out)).filter((name) => !keep.has(name) && !name.startsWith('.new-'));
  await Promise.all(old.map((name) => rm(join(out, name), { force: true })));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href || basename(process.argv[1] ?? '') === 'bundle.mjs') {
  await makeBundle(join(import.meta.dirname, '..'));
}
