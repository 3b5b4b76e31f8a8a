import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** What each room of src/ may import from the others (docs/architecture.md); `host:type` is for types only. */
const rules: Record<string, readonly string[]> = {
  errors: [],
  core: ['errors'],
  host: ['errors', 'core'],
  config: ['errors', 'core'],
  pins: ['errors', 'core'],
  checksums: ['errors', 'core', 'host:type'],
  dockerfile: ['errors', 'core'],
  oci: ['errors', 'core', 'host:type'],
  contract: ['errors', 'core'],
  probe: ['errors', 'core', 'host:type'],
  engines: ['errors', 'core', 'host:type'],
  registry: ['errors', 'core', 'host:type'],
  upstreams: ['errors', 'core', 'host', 'checksums', 'registry'],
  sbom: ['errors', 'core', 'oci'],
  sigstore: ['errors', 'core', 'host:type'],
  evidence: ['errors', 'core', 'host:type'],
  report: ['errors', 'core'],
  flows: ['*'],
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function sources(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : [];
  });
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const pattern = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?[^;'"]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/g;
  return [...text.matchAll(pattern)].flatMap((match) => {
    const target = resolve(dirname(file), match[2] ?? match[3] ?? '');
    const [to] = relative(join(root, 'src'), target).split('/');
    const [from] = relative(join(root, 'src'), file).split('/');
    if (from === undefined || to === undefined || from === to) return [];
    return [{ file: relative(root, file), from, to, typeOnly: match[1] !== undefined }];
  });
}

function isAllowed({ from, to, typeOnly }: Import): boolean {
  const allowed = rules[from] ?? [];
  return allowed.includes('*') || allowed.includes(to) || (typeOnly && allowed.includes(`${to}:type`));
}

describe('import rules', () => {
  const all = sources(join(root, 'src')).flatMap(importsOf);

  it('reads imports at all', () => {
    expect(all.length).toBeGreaterThan(5);
  });

  it('rooms import only what the table allows', () => {
    expect(all.filter((found) => !isAllowed(found))).toEqual([]);
  });

  it('every folder of src/ is in the table', () => {
    const rooms = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(rooms.map((room) => room.name).filter((name) => !(name in rules))).toEqual([]);
  });

  /** Each exemption has its reason; one that is not needed any more fails the test. */
  const exempt: Record<string, string> = {
    'src/engines/connect-docker.ts': 'an http.Agent whose connections are the ssh process that Host.exec runs',
    'src/sigstore/door.ts': 'types only: it bounds the requests that @sigstore/sign makes',
  };

  it('only the host opens processes, files and sockets', () => {
    const doors = /from 'node:(child_process|fs|fs\/promises|http|https|net|tls)'|from 'zx'/;
    const breaches = sources(join(root, 'src'))
      .filter((file) => !file.includes('/src/host/'))
      .filter((file) => doors.test(readFileSync(file, 'utf8')));
    expect(breaches.map((file) => relative(root, file))).toEqual(Object.keys(exempt));
  });

  it('scripts stay thin', () => {
    const long = readdirSync(join(root, 'scripts'), { encoding: 'utf8', recursive: true })
      .filter((name) => name.endsWith('.ts'))
      .filter((name) => readFileSync(join(root, 'scripts', name), 'utf8').split('\n').length > 140);
    expect(long).toEqual([]);
  });
});
