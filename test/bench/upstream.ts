import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf, mediaTypes, parseIndex, type Digest } from '../../src/core/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { labelledImage } from '../support/sigstore/image.ts';
import type { Stage } from './stage.ts';

export interface Served {
  /** `bench/pin-7`. */
  readonly repository: string;
  readonly digest: Digest;
  readonly platforms: Readonly<Record<string, Digest>>;
}

/** served puts one small index into each of `count` repositories of the bench's registry, under the tags given. */
export function served(stage: Stage, count: number, tags: readonly string[]): Promise<readonly Served[]> {
  return stage.once(`served ${count} ${tags.join()}`, async () => {
    const { host } = await stage.registry();
    const registry = createRegistry(stage.host);
    const found: Served[] = [];
    for (let at = 0; at < count; at += 1) {
      const repository = `bench/pin-${at}`;
      const repo = { registry: host, repository };
      const image = labelledImage({}, repository);
      await registry.push(repo, image.root, image.source);
      const bytes = await image.source.manifest(image.root);
      for (const tag of tags) await registry.put(repo, bytes, mediaTypes.index, tag);
      const platforms = Object.fromEntries(
        parseIndex(bytes).manifests.map((child) => [`linux/${child.platform?.architecture ?? ''}`, child.digest]),
      );
      found.push({ repository, digest: digestOf(bytes), platforms });
    }
    return found;
  });
}

/** delayed gives the address of a proxy that answers as the registry does, `milliseconds` later. */
export function delayed(stage: Stage, milliseconds: number): Promise<string> {
  return stage.once(`delayed ${milliseconds}`, async () => {
    const [hostname = '', port = ''] = (await stage.registry()).host.split(':');
    const server = createServer((incoming, outgoing) => {
      setTimeout(() => {
        const { method, url, headers } = incoming;
        const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        });
        onward.on('error', () => outgoing.destroy());
        incoming.pipe(onward);
      }, milliseconds);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stage.later(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
}
