import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContextFile, Digest, Finding } from '../../src/core/index.ts';
import { contextSource, dockerEngine, parseEndpoint, type BuiltImage } from '../../src/engines/index.ts';
import { createHost } from '../../src/host/index.ts';
import { buildLayout, chooseEngine } from '../../src/flows/build/index.ts';
import { checkImage, type CheckOptions, type CheckResult } from '../../src/flows/check/index.ts';
import { buildPlan } from '../../src/flows/plan.ts';
import { pushed } from '../support/pushed.ts';
import { createRegistry, type Registry } from '../../src/registry/index.ts';
import { projectRoot } from '../../src/lab/paths.ts';
import type { LabState } from '../../src/lab/state.ts';
import { sha256 } from '../oci/support.ts';

export const host = createHost({ quiet: true });
const platform = 'linux/amd64';
const repository = 'ambient_code/acp_claude_runner';

export interface Base {
  /** `127.0.0.1:PORT/…@sha256:…`. */
  readonly reference: string;
  readonly digest: Digest;
}

/** publishedBase builds the standard variant for amd64 as `build --lab` does, and pushes it to the lab's registry. */
export async function publishedBase(lab: LabState): Promise<Base> {
  const layout = join(await mkdtemp(join(tmpdir(), 'derived-')), 'standard');
  try {
    const options = { root: projectRoot, variant: 'standard', pinsFile: lab.pins, mirrors: lab.mirrors };
    const plan = { ...(await buildPlan(host, options)), platforms: [platform] as const };
    const registry = createRegistry(host, { mirrors: lab.mirrors });
    await buildLayout(host, {
      root: projectRoot,
      plan,
      layout,
      registry,
      engine: () => chooseEngine(host, plan, { endpoints: [lab.docker.classic] }),
      machine: { networkMode: lab.network, args: lab.proxies, extraCa: await readFile(lab.extraCa) },
    });
    const name = `${lab.registry}/${repository}`;
    const { digest } = await pushed(host, { layout, repository: name, tags: ['derived-itg'], registry });
    return { reference: `${name}@${digest}`, digest };
  } finally {
    await rm(join(layout, '..'), { recursive: true, force: true });
  }
}

/** What quay.io serves is in the lab's registry here, for the base that an image's labels name. */
export const labRegistry = (lab: LabState): Registry =>
  createRegistry(host, { mirrors: { images: { 'quay.io': lab.registry } } });

export interface Recipe {
  readonly name: string;
  readonly dockerfile: string;
  readonly files?: readonly ContextFile[];
  readonly buildArgs: Readonly<Record<string, string>>;
}

/** exampleRecipe is images/custom/Dockerfile with the placeholder's digest replaced, and the lab's registry in FROM alone. */
export async function exampleRecipe(lab: LabState, base: Base): Promise<Recipe> {
  const text = await readFile(join(projectRoot, 'images/custom/Dockerfile'), 'utf8');
  const dockerfile = text
    .replaceAll(`sha256:${'0'.repeat(64)}`, base.digest)
    .replace('FROM quay.io/', `FROM ${lab.registry}/`);
  const source = 'images/custom/word-report';
  const digest = sha256(await readFile(join(projectRoot, source)));
  const file: ContextFile = { path: 'word-report', source, mode: 0o644, digest };
  const facts = {
    CREATED: '2026-11-22T00:00:00Z',
    GIT_COMMIT: 'f'.repeat(40),
    VERSION: '1.0.0',
    INPUT_DIGEST: `sha256:${'f'.repeat(64)}`,
  };
  return { name: 'example', dockerfile, files: [file], buildArgs: facts };
}

export interface Sibling {
  readonly name: string;
  /** `rule subject`, as line 1 names it. */
  readonly finds: string;
  readonly dockerfile: string;
}

/** brokenSiblings reads them all; a file without its first line throws. */
export async function brokenSiblings(): Promise<Sibling[]> {
  const folder = join(projectRoot, 'test/contract/broken');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.dockerfile')).sort();
  return Promise.all(
    names.map(async (name) => {
      const dockerfile = await readFile(join(folder, name), 'utf8');
      const finds = /^# finds: (.+)\n/.exec(dockerfile)?.[1];
      if (finds === undefined) throw new Error(`${name} does not say what it finds`);
      return { name: name.replace(/\.dockerfile$/, ''), finds, dockerfile };
    }),
  );
}

/** withBuilt builds a recipe on one of the lab's engines and takes the image away afterwards. */
export async function withBuilt<T>(
  lab: LabState,
  recipe: Recipe,
  use: (image: BuiltImage) => Promise<T>,
  endpoint: string = lab.docker.classic,
): Promise<T> {
  const engine = dockerEngine(host, { endpoint: parseEndpoint(endpoint) });
  const { files = [], dockerfile: text } = recipe;
  const built = await engine.build({
    platform,
    dockerfile: { path: 'Dockerfile', text },
    context: await contextSource(host, { root: projectRoot, files, dockerfile: text }),
    buildArgs: { ...lab.proxies, ...recipe.buildArgs },
    labels: {},
    tag: `openshell-runner-images/derived-itg:${recipe.name}`,
    networkMode: lab.network,
    signal: host.signal,
    onProgress: () => undefined,
  });
  try {
    return await use(built);
  } finally {
    await engine.remove(built);
  }
}

/** checkCustom is `check IMAGE --profile custom`, with the lab's waivers inherited. */
export async function checkCustom(
  lab: LabState,
  image: string,
  options: Partial<CheckOptions> = {},
): Promise<CheckResult> {
  return checkImage(host, {
    root: projectRoot,
    image,
    registry: labRegistry(lab),
    profile: 'custom',
    inheritedWaivers: [join(projectRoot, 'src/lab/waivers.yaml')],
    dockerHost: lab.docker.classic,
    version: '0.0.0',
    ...options,
  });
}

/** told gives findings as line 1 of a sibling writes them; waived ones and notes are not the owner's to mend. */
export const told = (findings: readonly Finding[]): string[] =>
  findings.filter(({ severity }) => severity !== 'note').map(({ rule, subject }) => `${rule} ${subject}`);
