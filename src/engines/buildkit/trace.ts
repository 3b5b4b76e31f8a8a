import { statusResponse } from './messages.ts';

/** One node of BuildKit's graph. Times are seconds since 1970. */
export interface Vertex {
  readonly digest: string;
  readonly name: string;
  readonly cached: boolean;
  readonly started: number | undefined;
  readonly completed: number | undefined;
  readonly error: string;
}

export interface Trace {
  readonly vertexes: readonly Vertex[];
  readonly logs: readonly { readonly vertex: string; readonly msg: Uint8Array }[];
}

const time = (at: { readonly seconds: number; readonly nanos: number } | null): number | undefined =>
  at === null ? undefined : at.seconds + at.nanos / 1e9;

/**
 * decodeTrace reads what the Engine API wraps in `{"id":"moby.buildkit.trace","aux":…}`: a StatusResponse in base64.
 * Throws for what is none.
 */
export function decodeTrace(base64: string): Trace {
  const { vertexes, logs } = statusResponse.decode(Buffer.from(base64, 'base64'));
  return {
    vertexes: vertexes.map((vertex) => ({
      ...vertex,
      started: time(vertex.started),
      completed: time(vertex.completed),
    })),
    logs,
  };
}
