import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import Docker from 'dockerode';
import type { Platform } from '../../src/core/index.ts';
import type { LabState } from '../../src/lab/state.ts';

/** connect gives a client of one of the lab's engines. */
export function connect(endpoint: string): Docker {
  return new Docker({ socketPath: endpoint.replace('unix://', '') });
}

/**
 * reference names one platform's image in the lab's registry, by its own digest: Docker's classic
 * store keeps one platform per index digest and would take the other for it.
 */
export function reference(lab: LabState, image: keyof LabState['images'], platform: Platform): string {
  const { repository, platforms } = lab.images[image];
  return `${lab.registry}/${repository}@${platforms[platform] ?? ''}`;
}

/** runScript runs a bash script in a fresh container of the stand-in base and gives its output. */
export async function runScript(
  lab: LabState,
  platform: Platform,
  script: string,
  endpoint = lab.docker.classic,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const docker = connect(endpoint);
  const image = reference(lab, 'base', platform);
  const pulled = await docker.pull(image, { platform });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(pulled, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
  const container = await docker.createContainer({
    Image: image,
    platform,
    Cmd: ['bash', '-euc', script],
    HostConfig: { NetworkMode: lab.network },
  });
  try {
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    const output = new PassThrough();
    docker.modem.demuxStream(stream, output, output);
    stream.on('end', () => output.end());
    await container.start();
    const [said, ended] = await Promise.all([text(output), container.wait() as Promise<{ StatusCode: number }>]);
    return { exitCode: ended.StatusCode, output: said };
  } finally {
    await container.remove({ force: true });
  }
}
