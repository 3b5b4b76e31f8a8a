import type { Readable } from 'node:stream';
import type { Digest, Platform } from '../core/index.ts';

/** Credentials for a registry host, or undefined for an anonymous pull. */
export type Credentials = (host: string) => Promise<{ readonly username: string; readonly secret: string } | undefined>;

export type EngineName = 'docker' | 'buildx' | 'buildah' | 'dry-run';
export const engineNames = ['docker', 'buildx', 'buildah', 'dry-run'] as const satisfies readonly EngineName[];

/** EngineInfo is what an engine says about itself; what it does not report is absent. */
export interface EngineInfo {
  readonly name: EngineName;
  /** What answers: `Docker Engine`, `Podman Engine`, `buildx`, `buildah`. */
  readonly product: string;
  readonly version: string;
  /** The server's own platform, as GOOS and GOARCH write it. */
  readonly os: string;
  readonly architecture: string;
  /** `classic` keeps unpacked layers, `containerd` keeps the upstream's compressed blobs. */
  readonly store: 'classic' | 'containerd' | 'containers-storage' | 'none';
  /** Platforms whose RUN steps it can execute; absent when the engine does not report them. */
  readonly platforms?: readonly Platform[] | undefined;
  /** Where it listens, e.g. `unix:///var/run/docker.sock`; absent for a command-line tool. */
  readonly endpoint?: string | undefined;
}

/** BuildRequest is one build for one platform. */
export interface BuildRequest {
  readonly platform: Platform;
  /** The Dockerfile's own text, for messages; its bytes also lie in the context as `Dockerfile`. */
  readonly dockerfile: { readonly path: string; readonly text: string };
  /** A fresh tar stream each time it is called; see `contextSource`. */
  readonly context: () => Readable;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Network of RUN steps: `host`, `none`, or the engine's default when absent. */
  readonly networkMode?: 'host' | 'none' | undefined;
  /** `name:address` lines for /etc/hosts of RUN steps. */
  readonly extraHosts?: readonly string[] | undefined;
  /** Cache import and export, in the engine's own syntax (buildx: `type=registry,ref=…`). */
  readonly cacheFrom?: readonly string[] | undefined;
  readonly cacheTo?: readonly string[] | undefined;
  readonly noCache?: boolean | undefined;
  /** A name that no other build of this moment uses; `remove` takes it away again. */
  readonly tag: string;
  readonly signal: AbortSignal;
  readonly onProgress: (event: BuildEvent) => void;
}

interface EventBase {
  readonly platform: Platform;
  /** Stage of the Dockerfile, as the engine names it. */
  readonly stage?: string | undefined;
  /** 1-based, with `total`; absent for the engine's own steps. */
  readonly step?: number | undefined;
  readonly total?: number | undefined;
  /** The step's text, e.g. `RUN make`. */
  readonly name: string;
}

/** BuildEvent is one moment of one step, the same for every engine. */
export type BuildEvent = EventBase &
  (
    | { readonly $case: 'started' }
    | { readonly $case: 'cached' }
    | { readonly $case: 'done'; readonly seconds?: number | undefined }
    | { readonly $case: 'log'; readonly line: string }
    | { readonly $case: 'error'; readonly message: string }
  );

/** BuiltImage is held by the engine that made it until `remove`. */
export interface BuiltImage {
  readonly engine: EngineName;
  readonly platform: Platform;
  readonly tag: string;
  /** What the engine calls the image: config digest (classic store) or manifest digest. */
  readonly id?: Digest | undefined;
  /** What `export` streams. */
  readonly archive: 'docker-archive' | 'oci-archive';
}

/**
 * Engine turns one request into one image and hands it out as an archive stream. It throws
 * AppErrors `engines/*`; aborting `request.signal` stops the engine's work, not just the waiting.
 */
export interface Engine {
  readonly name: EngineName;
  /** With `platform`, the engine that builds that one, where several share the work. */
  info(platform?: Platform): Promise<EngineInfo>;
  build(request: BuildRequest): Promise<BuiltImage>;
  /** The caller reads the stream to its end or destroys it. */
  export(built: BuiltImage, signal?: AbortSignal): Promise<Readable>;
  /** Takes the image away; no error when it is gone already. */
  remove(built: BuiltImage): Promise<void>;
}
