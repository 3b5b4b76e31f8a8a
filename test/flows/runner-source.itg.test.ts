import { execFileSync } from 'node:child_process';
import { appendFile, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabState } from '../../src/lab/state.ts';
import { fetchTools } from '../../src/lab/tools.ts';
import { startPodman, type PodmanService } from '../engines/podman-service.ts';
import { useLab } from '../lab/use-lab.ts';
import { filesUnder, makeProject, projectRoot, startIn, type Project, type Ran } from './project.ts';

/** Shipped, and what is not: a test, a document, a file that git does not track. */
const tracked: Readonly<Record<string, string>> = {
  'ambient_runner/__init__.py': '',
  'ambient_runner/data.jsonl': '{}\n',
  'main.py': 'app = None\n',
  'pyproject.toml': '[project]\n',
  'uv.lock': 'version = 1\n',
  'tests/test_main.py': 'assert True\n',
  'ambient_runner/README.md': '# inside\n',
  'README.md': '# above\n',
  '.mcp.json': '{"mcpServers":{}}\n',
  Dockerfile: 'FROM scratch\n',
};
const shipped = ['ambient_runner/__init__.py', 'ambient_runner/data.jsonl', 'main.py', 'pyproject.toml', 'uv.lock'];

const small = `---
description: The runner alone
provides: [/opt/runner]
---
#: final
COPY --from=runner-shipped --chown=0:0 /out /opt/runner
RUN cd /opt/runner; test "$(find . -type f | LC_ALL=C sort | tr '\\n' ' ')" = "${shipped.map((name) => `./${name} `).join('')}"
USER 1001
CMD ["/bin/true"]
`;
const tools = `---
description: The stage that build steps stand on
---
#: stage
FROM {{base.reference}} AS tools
`;

let lab: LabState;
let project: Project;
let podman: PodmanService;
let folder: string;
let docker: string;
const git = (...args: string[]): string =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
    encoding: 'utf8',
  });

beforeAll(async () => {
  lab = await useLab(['classic', 'current']);
  project = await makeProject(lab);
  podman = await startPodman([lab.registry]);
  const fragments = join(project.root, 'images/fragments');
  for (const name of ['runner-source', 'runner-source-local', 'runner-shipped'])
    await copyFile(join(projectRoot, `images/fragments/${name}.dockerfile`), join(fragments, `${name}.dockerfile`));
  await project.write('images/fragments/tools.dockerfile', tools);
  await project.write('images/fragments/small.dockerfile', small);
  const { commit, tree, digest } = lab.runner;
  await appendFile(
    join(project.root, 'images/pins.yaml'),
    `  runner:
    kind: git
    repository: https://github.com/openshift-online/agent-control-plane
    version: 2026-01-01
    commit: ${commit}
    path: components/runners/ambient-runner
    tree: ${tree}
    digest: ${digest}
    policy: {}
    evidence: [{ kind: git-object, source: the lab's stand-in }]
`,
  );
  const image = join(project.root, 'images/small/image.yaml');
  const text = execFileSync('sed', [
    's/fragments: .*/fragments: [tools, runner-source, runner-shipped, small]/',
    image,
  ]);
  await writeFile(image, text);
  folder = await mkdtemp(join(tmpdir(), 'runner-folder-'));
  for (const [name, content] of Object.entries(tracked)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'x');
  await writeFile(join(folder, 'untracked.py'), 'x\n');
  docker = await mkdtemp(join(tmpdir(), 'runner-docker-'));
  await mkdir(join(docker, 'cli-plugins'));
  const { 'docker-buildx': plugin } = await fetchTools(lab.cache, ['docker-buildx']);
  if (plugin === undefined) throw new Error('there is no buildx');
  await symlink(plugin.path, join(docker, 'cli-plugins/docker-buildx'));
});
afterAll(async () => {
  await podman.close();
  await project.remove();
  await rm(folder, { recursive: true });
  await rm(docker, { recursive: true });
});

async function build(...args: string[]): Promise<Ran> {
  await rm(join(project.root, 'dist/small'), { recursive: true, force: true });
  const all = ['build', 'small', '--json', '--platform', 'linux/amd64', '--runner-source', folder, ...args];
  return (await startIn(project, all, project.mirrors, { DOCKER_CONFIG: docker })).ended;
}

describe('a runner from a folder', () => {
  let expected: unknown;
  const indexOf = ({ code, stdout, stderr }: Ran): unknown => {
    expect(code, stderr).toBe(0);
    return (JSON.parse(stdout) as { index: unknown }).index;
  };

  test('enters the build of classic Docker: what git tracks, and of that what runs', async () => {
    expected = indexOf(await build());
  });

  test.each([
    ['current Docker', () => ['--endpoint', lab.docker.current ?? '']],
    ['buildx', () => ['--engine', 'buildx', '--endpoint', lab.docker.current ?? '']],
    ['Podman’s socket', () => ['--endpoint', podman.endpoint]],
    ['Buildah', () => ['--engine', 'buildah']],
  ] as const)('gives the same image from %s', async (_, args) => {
    expect(indexOf(await build(...args()))).toEqual(expected);
  });

  test('a folder that cannot be taken ends before anything is built: exit 2', async () => {
    await symlink('/etc/passwd', join(folder, 'outside'));
    git('add', 'outside');
    const { code, stderr } = await build();
    git('rm', '--quiet', '-f', 'outside');
    expect(code).toBe(2);
    expect(stderr).toContain('runner-source/link');
    expect(await filesUnder(join(project.root, 'dist/small'))).toEqual([]);
  });
});
