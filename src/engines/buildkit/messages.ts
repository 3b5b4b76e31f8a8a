import protobuf from 'protobufjs';

/**
 * BuildKit's messages as far as they are read or written here; fields that are not named are skipped. From moby/buildkit
 * (api/services/control, solver/pb, session/auth, session/upload) and grpc/grpc-proto (health/v1).
 */
const { root } = protobuf.parse(
  `syntax = "proto3";

  message StatusResponse { repeated Vertex vertexes = 1; repeated VertexLog logs = 3; }
  message Vertex {
    string digest = 1; string name = 3; bool cached = 4; Timestamp started = 5; Timestamp completed = 6; string error = 7;
  }
  message VertexLog { string vertex = 1; bytes msg = 4; }
  message Timestamp { int64 seconds = 1; int32 nanos = 2; }

  message ListWorkersResponse { repeated WorkerRecord record = 1; }
  message WorkerRecord { repeated Platform platforms = 3; }
  message Platform { string architecture = 1; string os = 2; }

  message CredentialsRequest { string host = 1; }
  message CredentialsResponse { string username = 1; string secret = 2; }
  message BytesMessage { bytes data = 1; }
  message HealthCheckRequest { string service = 1; }
  message HealthCheckResponse { int32 status = 1; }`,
);

/** Message is one kind of message, as a value of type T with every field set; an absent message is null. */
export interface Message<T> {
  /** Throws what protobufjs throws for bytes that are no such message. */
  readonly decode: (bytes: Uint8Array) => T;
  readonly encode: (value: T) => Buffer;
}

function message<T extends object>(name: string): Message<T> {
  const type = root.lookupType(name);
  return {
    decode: (bytes) => type.toObject(type.decode(bytes), { defaults: true, longs: Number }) as T,
    encode: (value) => Buffer.from(type.encode(type.fromObject(value)).finish()),
  };
}

/** Since 1970. */
interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface StatusResponse {
  readonly vertexes: readonly {
    readonly digest: string;
    readonly name: string;
    readonly cached: boolean;
    readonly started: Timestamp | null;
    readonly completed: Timestamp | null;
    readonly error: string;
  }[];
  readonly logs: readonly { readonly vertex: string; readonly msg: Uint8Array }[];
}

interface ListWorkersResponse {
  readonly record: readonly { readonly platforms: readonly { readonly architecture: string; readonly os: string }[] }[];
}

export const statusResponse = message<StatusResponse>('StatusResponse');
export const listWorkersResponse = message<ListWorkersResponse>('ListWorkersResponse');
export const credentialsRequest = message<{ readonly host: string }>('CredentialsRequest');
export const credentialsResponse = message<{ readonly username: string; readonly secret: string }>(
  'CredentialsResponse',
);
export const bytesMessage = message<{ readonly data: Uint8Array }>('BytesMessage');
export const healthCheckRequest = message<{ readonly service: string }>('HealthCheckRequest');
export const healthCheckResponse = message<{ readonly status: number }>('HealthCheckResponse');
