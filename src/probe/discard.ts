import type { Readable } from 'node:stream';

/** discard ends a body that is not read further. Its "aborted" error is what was asked for. */
export function discard(body: Readable): void {
  body.on('error', () => undefined);
  body.destroy();
}
