import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { AppError } from '../errors/index.ts';
import type { Deb } from './apt.ts';
import { closure } from './closure.ts';
import { debEntries, directory, file, sorted, symlink, tarOf, type TarEntry } from './entries.ts';
import { architectures, basePackages, pythonPackages, type Architecture } from './packages.ts';

/** Wheel is one Python distribution as an archive that unpacks into site-packages. */
export interface Wheel {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly sha256: string;
  readonly size: number;
  /** `any`, or the machine that it is for: `x86_64`, `aarch64`. */
  readonly machine: string;
}

export interface PythonArtifacts {
  /** e.g. `3.13.5`. */
  readonly version: string;
  /** Archive name → sha256, as uv carries them for its own builds. */
  readonly interpreters: Readonly<Record<string, string>>;
  readonly wheels: readonly Wheel[];
}

const machines: Record<Architecture, string> = { amd64: 'x86_64', arm64: 'aarch64' };

async function store(directory_: string, name: string, entries: TarEntry[]): Promise<{ sha256: string; size: number }> {
  const parents = new Map<string, TarEntry>();
  for (const { path } of entries)
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1))
      parents.set(path.slice(0, at), directory(path.slice(0, at)));
  for (const entry of entries) parents.set(entry.path, entry);
  const bytes = await buffer(tarOf(sorted(parents.values())));
  await mkdir(directory_, { recursive: true });
  await writeFile(join(directory_, name), bytes);
  return { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
}

/** The interpreter in the layout of python-build-standalone: bin, lib/pythonX.Y below one directory. */
async function interpreter(set: ReadonlyMap<string, Deb>, minor: string): Promise<TarEntry[]> {
  const names = ['minimal', 'stdlib'].map((part) => `libpython${minor}-${part}`);
  const entries: TarEntry[] = [];
  for (const name of [`python${minor}-minimal`, `python${minor}`, ...names]) {
    const deb = set.get(name);
    if (deb === undefined) throw new AppError('lab/python', 'machine', `no package ${name} in the lab's set`);
    for await (const entry of debEntries(deb)) {
      const inside = entry.path.replace(/^usr\//, '');
      const wanted = inside === `bin/python${minor}` || inside.startsWith(`lib/python${minor}/`);
      if (!wanted || entry.type === 'directory') continue;
      // Two files belong to the distribution's own Python only.
      if (/\/(EXTERNALLY-MANAGED|sitecustomize\.py)$/.test(inside)) continue;
      entries.push({ ...entry, path: inside });
    }
  }
  return [...entries, symlink('bin/python3', `python${minor}`), symlink('bin/python', `python${minor}`)];
}

async function wheelsOf(directory_: string, deb: Deb, machine: string): Promise<Wheel | undefined> {
  const root = 'usr/lib/python3/dist-packages/';
  const entries: TarEntry[] = [];
  for await (const entry of debEntries(deb))
    if (entry.path.startsWith(root) && entry.type !== 'directory')
      entries.push({ ...entry, path: entry.path.slice(root.length) });
  const metadata = entries.find(({ path }) => /^[^/]+\.(dist-info\/METADATA|egg-info\/PKG-INFO|egg-info)$/.test(path));
  if (metadata?.content === undefined) return undefined;
  const field = (key: string): string =>
    new RegExp(`^${key}: (.*)$`, 'm').exec(metadata.content?.toString('utf8') ?? '')?.[1]?.trim() ?? '';
  const name = field('Name')
    .toLowerCase()
    .replace(/[-_.]+/g, '-');
  const version = field('Version');
  const kind = deb.architecture === 'all' ? 'any' : machine;
  const fileName = `${name.replaceAll('-', '_')}-${version}-${kind}.tar`;
  return { name, version, file: fileName, machine: kind, ...(await store(directory_, fileName, entries)) };
}

/** The SDK's wheel carries a claude program of its own; the stand-in only says that it is none. */
async function agentSdk(directory_: string): Promise<Wheel> {
  const [name, version] = ['claude-agent-sdk', '0.2.139'];
  const bundled = '#!/bin/sh\necho "claude: lab stand-in, called with $# arguments: $*"\n';
  const info = `claude_agent_sdk-${version}.dist-info`;
  const entries = [
    file('claude_agent_sdk/__init__.py', '"""Stand-in for the SDK, for the lab."""\n'),
    file('claude_agent_sdk/_bundled/claude', bundled, 0o755),
    file(`${info}/METADATA`, `Metadata-Version: 2.4\nName: ${name}\nVersion: ${version}\n`),
  ];
  const fileName = `claude_agent_sdk-${version}-any.tar`;
  return { name, version, file: fileName, machine: 'any', ...(await store(directory_, fileName, entries)) };
}

/** The server that the images' MCP configuration names: it answers its client's first call and lists no tools. */
async function mcpAtlassian(directory_: string): Promise<Wheel> {
  const [name, version] = ['mcp-atlassian', '0.22.0'];
  const server = [
    '"""Stand-in for the MCP server, for the lab."""',
    'import json',
    'import sys',
    '',
    '',
    'def main():',
    '    for line in sys.stdin:',
    '        call = json.loads(line)',
    '        if "id" not in call:',
    '            continue',
    '        info = {"name": "mcp-atlassian", "version": "lab"}',
    '        first = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info}',
    '        result = first if call["method"] == "initialize" else {"tools": []}',
    '        print(json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result}), flush=True)',
    '',
  ].join('\n');
  const info = `mcp_atlassian-${version}.dist-info`;
  const entries = [
    file('mcp_atlassian/__init__.py', server),
    file(`${info}/METADATA`, `Metadata-Version: 2.4\nName: ${name}\nVersion: ${version}\n`),
    file(`${info}/entry_points.txt`, `[console_scripts]\n${name} = mcp_atlassian:main\n`),
  ];
  const fileName = `mcp_atlassian-${version}-any.tar`;
  return { name, version, file: fileName, machine: 'any', ...(await store(directory_, fileName, entries)) };
}

/** makePython writes interpreter and wheel archives for both architectures into the artifact directory. */
export async function makePython(
  artifacts: string,
  sets: Readonly<Record<Architecture, ReadonlyMap<string, Deb>>>,
): Promise<PythonArtifacts> {
  const version = /^[0-9.]+/.exec(sets.amd64.get('python3.13')?.version ?? '')?.[0] ?? '';
  const minor = version.split('.').slice(0, 2).join('.');
  const shas = architectures.flatMap((one) => [...sets[one].values()].map((deb) => deb.sha256));
  const key = createHash('sha256')
    .update(JSON.stringify(['6', shas]))
    .digest('hex')
    .slice(0, 20);
  const record = join(artifacts, `python-${key}.json`);
  const kept = await readFile(record, 'utf8').catch(() => undefined);
  if (kept !== undefined) return JSON.parse(kept) as PythonArtifacts;
  const interpreters: Record<string, string> = {};
  const wheels = new Map<string, Wheel>();
  for (const wheel of [await agentSdk(join(artifacts, 'uv')), await mcpAtlassian(join(artifacts, 'uv'))])
    wheels.set(wheel.file, wheel);
  for (const architecture of architectures) {
    const set = sets[architecture];
    const name = `cpython-${version}-linux-${machines[architecture]}-gnu.tar`;
    interpreters[name] = (await store(join(artifacts, 'uv'), name, await interpreter(set, minor))).sha256;
    const base = new Set(closure(set, basePackages).map((deb) => deb.name));
    for (const deb of closure(set, pythonPackages)) {
      // uvloop needs a library of the distribution; uvicorn does without it, as its plain install does.
      if (base.has(deb.name) || deb.name === 'python3-uvloop') continue;
      const wheel = await wheelsOf(join(artifacts, 'uv'), deb, machines[architecture]);
      if (wheel !== undefined) wheels.set(wheel.file, wheel);
    }
  }
  const made = { version, interpreters, wheels: [...wheels.values()].sort((a, b) => (a.file < b.file ? -1 : 1)) };
  await writeFile(record, JSON.stringify(made));
  return made;
}
