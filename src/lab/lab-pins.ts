import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { isMap, parseDocument, type Document, type YAMLMap } from 'yaml';
import { AppError } from '../errors/index.ts';
import type { ImageNames } from './images.ts';
import { projectRoot } from './paths.ts';
import type { LabState } from './state.ts';

const source = join(projectRoot, 'images/pins.yaml');

async function readDocument(): Promise<{ document: Document; pins: readonly YAMLMap[] }> {
  const document = parseDocument(await readFile(source, 'utf8'));
  const pins = document.get('pins');
  if (document.errors.length > 0 || !isMap(pins))
    throw new AppError('lab/pins', 'usage', 'the lab cannot read the project pins', {
      where: { file: source },
      hint: 'runner-image pins verify',
    });
  return { document, pins: pins.items.map(({ value }) => value).filter((value): value is YAMLMap => isMap(value)) };
}

const upstreams = {
  base: 'registry.access.redhat.com/ubi10/ubi',
  uv: 'ghcr.io/astral-sh/uv',
  supervisor: 'ghcr.io/nvidia/openshell/supervisor',
} as const;

/** readImageNames takes repositories and tags from the project's pins: the stand-ins bear the same names. */
export async function readImageNames(): Promise<ImageNames> {
  const { pins } = await readDocument();
  const nameOf = (reference: string): { repository: string; tag: string } => {
    const version = pins.find((one) => one.get('repository') === reference)?.get('version');
    return {
      repository: reference.slice(reference.indexOf('/') + 1),
      tag: typeof version === 'string' ? version : 'lab',
    };
  };
  return { base: nameOf(upstreams.base), uv: nameOf(upstreams.uv), supervisor: nameOf(upstreams.supervisor) };
}

/** replaceFacts puts what the lab observed where the real facts stood, and says so in the evidence. */
function replaceFacts(document: Document, pin: YAMLMap, facts: Readonly<Record<string, unknown>>, kind: string): void {
  for (const [key, value] of Object.entries(facts)) pin.set(key, document.createNode(value));
  pin.set('evidence', document.createNode([{ kind, source: "the lab's stand-in", seen: '2026-01-01' }]));
  pin.delete('absent');
}

/**
 * writeLabPins derives the lab's pins from the project's: the same entries with the stand-ins'
 * digests, versions and checksums, and `lab: true`, which keeps such images on loopback.
 */
export async function writeLabPins(
  lab: string,
  facts: Pick<LabState, 'images' | 'gh' | 'python' | 'runner'>,
): Promise<string> {
  const { document, pins } = await readDocument();
  const checksums = join(lab, 'checksums/gh', `${facts.gh.version}.sha256`);
  await mkdir(dirname(checksums), { recursive: true });
  const lines = Object.entries(facts.gh.checksums).map(([name, sum]) => `${sum}  ${name}\n`);
  await writeFile(checksums, lines.sort().join(''));
  const inProject = relative(projectRoot, checksums);
  const checksumFile = inProject.startsWith('..') || isAbsolute(inProject) ? checksums : inProject;
  for (const pin of pins) {
    const kind = pin.get('kind');
    const image = Object.entries(upstreams).find(([, reference]) => reference === pin.get('repository'));
    if (kind === 'image' && image !== undefined) {
      const { digest, platforms } = facts.images[image[0] as keyof typeof upstreams];
      replaceFacts(document, pin, { digest, platforms }, 'registry-digest');
    } else if (kind === 'release' && pin.get('repository') === 'https://github.com/cli/cli')
      replaceFacts(document, pin, { version: facts.gh.version, checksumFile }, 'own-hash');
    else if (kind === 'python') {
      const minor = facts.python.split('.').slice(0, 2).join('.');
      replaceFacts(document, pin, { version: facts.python, policy: { range: `~${minor}` } }, 'own-hash');
    } else if (kind === 'git') {
      const { commit, tree, digest } = facts.runner;
      replaceFacts(document, pin, { commit, tree, digest }, 'git-object');
    }
  }
  const target = join(lab, 'pins.yaml');
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: true });
  await writeFile(target, `# Made by runner-image lab up from images/pins.yaml; edits are lost.\nlab: true\n${text}`);
  return target;
}
