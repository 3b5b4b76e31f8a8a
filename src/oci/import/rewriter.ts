import type { OwnLayer } from './rewrite.ts';
import type { SpooledLayer } from './spool.ts';

/** Rewriter rewrites layers one after the other, beside the archive's reading; each already uses all cores. */
export class Rewriter {
  private tail: Promise<unknown> = Promise.resolve();
  private failed = false;
  private readonly write: (layer: SpooledLayer) => Promise<OwnLayer | undefined>;

  constructor(write: (layer: SpooledLayer) => Promise<OwnLayer | undefined>) {
    this.write = write;
  }

  add(layer: SpooledLayer): Promise<OwnLayer | undefined> {
    const result = this.tail.then(async () => {
      try {
        return this.failed ? undefined : await this.write(layer);
      } catch (error) {
        this.failed = true;
        throw error;
      } finally {
        await layer.discard();
      }
    });
    // The failure is reported where the layer is used; the chain itself goes on to clean up.
    this.tail = result.catch(() => undefined);
    return result;
  }

  async stop(): Promise<void> {
    this.failed = true;
    await this.tail;
  }
}
