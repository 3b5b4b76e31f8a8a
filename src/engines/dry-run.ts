import { createHash } from 'node:crypto';
import { platforms } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import type { Engine } from './types.ts';

/** dryRunEngine reads each context to its end, so that its checks run, and builds nothing. */
export function dryRunEngine(host: Host): Engine {
  return {
    name: 'dry-run',
    info: async () => ({
      name: 'dry-run',
      product: 'dry run',
      version: '1',
      os: 'linux',
      architecture: 'amd64',
      store: 'none',
      platforms,
    }),
    async build(request) {
      const hash = createHash('sha256');
      let size = 0;
      for await (const chunk of request.context()) {
        request.signal.throwIfAborted();
        hash.update(chunk as Buffer);
        size += (chunk as Buffer).length;
      }
      host.progress.say(
        `would build ${request.dockerfile.path} for ${request.platform}: context of ${size} bytes, sha256:${hash.digest('hex')}`,
      );
      return { engine: 'dry-run', platform: request.platform, tag: request.tag, archive: 'oci-archive' };
    },
    async export() {
      throw new AppError('engines/dry-run', 'usage', 'a dry run has nothing to export');
    },
    remove: async () => undefined,
  };
}
