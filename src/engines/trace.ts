import { decodeFields, integer, messages, text, type Field } from './protobuf.ts';

/** One node of BuildKit's graph, as its `StatusResponse` tells it. Times are seconds since 1970. */
export interface Vertex {
  readonly digest: string;
  readonly name: string;
  readonly cached: boolean;
  readonly started?: number;
  readonly completed?: number;
  readonly error: string;
}

export interface VertexLog {
  readonly vertex: string;
  readonly bytes: Uint8Array;
}

export interface Trace {
  readonly vertexes: readonly Vertex[];
  readonly logs: readonly VertexLog[];
}

/** google.protobuf.Timestamp. */
function time(fields: readonly Field[], number: number): number | undefined {
  const bytes = messages(fields, number).at(-1);
  if (bytes === undefined) return undefined;
  const parts = decodeFields(bytes);
  return integer(parts, 1) + integer(parts, 2) / 1e9;
}

function vertex(bytes: Uint8Array): Vertex {
  const fields = decodeFields(bytes);
  const started = time(fields, 5);
  const completed = time(fields, 6);
  return {
    digest: text(fields, 1),
    name: text(fields, 3),
    cached: integer(fields, 4) === 1,
    ...(started === undefined ? {} : { started }),
    ...(completed === undefined ? {} : { completed }),
    error: text(fields, 7),
  };
}

/**
 * decodeTrace reads `moby.buildkit.v1.StatusResponse`, base64 as the Engine API wraps it in
 * `{"id":"moby.buildkit.trace","aux":…}`. Field numbers: buildkit's api/services/control/control.proto.
 */
export function decodeTrace(base64: string): Trace {
  const fields = decodeFields(Buffer.from(base64, 'base64'));
  return {
    vertexes: messages(fields, 1).map(vertex),
    logs: messages(fields, 3).map((bytes) => {
      const log = decodeFields(bytes);
      return { vertex: text(log, 1), bytes: messages(log, 4).at(-1) ?? new Uint8Array() };
    }),
  };
}
