import type Dockerode from 'dockerode';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { demultiplex } from './demultiplex.ts';
import type { ContainerEngine, ContainerSpec, Process, Running } from './engine.ts';

const logLimit = 1024 * 1024;

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const status = (error: unknown): number | undefined => (error as { statusCode?: number | undefined }).statusCode;

function create(spec: ContainerSpec): Dockerode.ContainerCreateOptions {
  const port = `${spec.port}/tcp`;
  return {
    name: spec.name,
    platform: spec.platform,
    Image: spec.image,
    Labels: { ...spec.labels },
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    User: spec.user,
    Entrypoint: spec.entrypoint && [...spec.entrypoint],
    Cmd: spec.command && [...spec.command],
    ExposedPorts: { [port]: {} },
    HostConfig: {
      PortBindings: { [port]: [{ HostIp: '127.0.0.1', HostPort: '' }] },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Mounts: spec.readOnlyMounts.map((path) => ({ Type: 'tmpfs', Target: path, Source: '', ReadOnly: true })),
      Init: spec.init,
      PidsLimit: 1024,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '8m', 'max-file': '1' } },
    },
  };
}

/** containerEngine speaks to Docker, or to Podman's compatible socket, on this machine: it publishes ports on loopback. */
export function containerEngine(docker: Dockerode, host: Host): ContainerEngine {
  return {
    async start(spec, signal) {
      signal.throwIfAborted();
      let container: Dockerode.Container | undefined;
      try {
        container = await docker.createContainer(create(spec));
        signal.throwIfAborted();
        await container.start();
        const info = await container.inspect();
        const published = info.NetworkSettings.Ports[`${spec.port}/tcp`]?.[0]?.HostPort;
        return running(host, container, spec.name, published);
      } catch (cause) {
        await container?.remove({ force: true, v: true }).catch(() => undefined);
        if (signal.aborted) throw signal.reason;
        throw new AppError('probe/start', 'machine', 'the engine could not start the image', {
          expected: `a container of ${spec.image} for ${spec.platform}${spec.user === undefined ? '' : ` as ${spec.user}`}`,
          found: text(cause).slice(0, 500),
          hint: 'runner-image doctor',
          cause,
        });
      }
    },
    async removeAll(label) {
      const found = await docker.listContainers({ all: true, filters: { label: [label] } });
      await Promise.all(found.map(({ Id }) => removeContainer(docker.getContainer(Id))));
      return found.length;
    },
  };
}

/** An engine that is busy removing it already answers 409; one that has removed it, 404. */
async function removeContainer(container: Dockerode.Container): Promise<void> {
  await container.remove({ force: true, v: true }).catch((error: unknown) => {
    if (status(error) !== 404 && status(error) !== 409) throw error;
  });
}

function running(host: Host, container: Dockerode.Container, name: string, port: string | undefined): Running {
  const exitCode = async (): Promise<number | undefined> => {
    const { State } = await container.inspect();
    return State.Running || State.Status === 'created' ? undefined : State.ExitCode;
  };
  return {
    id: container.id,
    name,
    url: port === undefined || port === '' ? undefined : `http://127.0.0.1:${port}`,
    exitCode,
    async wait(milliseconds, signal) {
      const end = host.clock.now().getTime() + milliseconds;
      for (;;) {
        const code = await exitCode();
        if (code !== undefined || host.clock.now().getTime() >= end) return code;
        await host.clock.sleep(100, signal);
      }
    },
    async signal(signalName) {
      await container.kill({ signal: signalName }).catch((error: unknown) => {
        // 409: it ended a moment ago.
        if (status(error) !== 409 && status(error) !== 404) throw error;
      });
    },
    async logs() {
      const raw = await container.logs({ stdout: true, stderr: true, follow: false, tail: 5000 });
      return demultiplex(raw).subarray(-logLimit).toString('utf8');
    },
    processes: async () =>
      parseStat(await execIn(container, ['/bin/sh', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null; :'], 15_000)),
    exec: (command, milliseconds) => execIn(container, command, milliseconds),
    remove: () => removeContainer(container),
  };
}

/**
 * parseStat reads lines of /proc/<pid>/stat: pid, name in brackets (which may hold any character),
 * state. The engine's `top` would not do: it goes by cgroup.procs, in which a zombie never appears.
 */
export function parseStat(output: string): Process[] {
  return [...output.matchAll(/^(\d+) \((.*)\) ([A-Za-z]) \d+ .*$/gm)].map(([, pid, command, state]) => ({
    pid: Number(pid),
    state: state ?? '',
    command: command ?? '',
  }));
}

async function execIn(
  container: Dockerode.Container,
  command: readonly string[],
  milliseconds: number,
): Promise<string> {
  const exec = await container.exec({ Cmd: [...command], AttachStdout: true, AttachStderr: false });
  const stream = await exec.start({ hijack: false, stdin: false });
  const timer = setTimeout(() => stream.destroy(new Error('time over')), milliseconds);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > logLimit) break;
    }
  } finally {
    clearTimeout(timer);
    stream.destroy();
  }
  return demultiplex(Buffer.concat(chunks)).toString('utf8');
}
