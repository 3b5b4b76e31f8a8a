import {
  digestOf,
  type ContentMatch,
  type Entry,
  type EntryType,
  type HistoryEntry,
  type ImageConfig,
  type LayerFacts,
  type Picture,
  type Platform,
  type Shadowed,
} from '../../src/core/index.ts';

/** One path of a built picture; defaults: a root-owned file 0644 (0755 for directories) in the top layer. */
export interface PathOf {
  type?: EntryType;
  mode?: number;
  uid?: number;
  gid?: number;
  size?: number;
  link?: string;
  layer?: number;
  capabilities?: true;
  /** Text kept in Picture.contents. */
  content?: string;
}

export interface PictureOf {
  platform?: Platform;
  /** The Dockerfile instruction of each layer, lowest first. */
  layers?: string[];
  paths?: Record<string, PathOf>;
  user?: string;
  env?: Record<string, string>;
  labels?: Record<string, string>;
  entrypoint?: string[];
  cmd?: string[];
  ports?: string[];
  workdir?: string;
  /** History entries that made no layer, after the layers' own. */
  history?: string[];
  shadowed?: Shadowed[];
  matches?: ContentMatch[];
  overLinks?: { path: string; link: string; layer: number }[];
  /** Compressed bytes of each layer. */
  layerSize?: number;
}

const defaultMode: Record<EntryType, number> = {
  file: 0o644,
  directory: 0o755,
  symlink: 0o777,
  character: 0o666,
  block: 0o660,
  fifo: 0o644,
};

function toEntry(path: PathOf, top: number): Entry {
  const type = path.type ?? (path.link === undefined ? 'file' : 'symlink');
  return {
    type,
    mode: path.mode ?? defaultMode[type],
    uid: path.uid ?? 0,
    gid: path.gid ?? 0,
    size: type === 'file' ? (path.size ?? path.content?.length ?? 1) : 0,
    layer: path.layer ?? top,
    ...(path.link === undefined ? {} : { link: path.link }),
    ...(path.capabilities === undefined ? {} : { capabilities: path.capabilities }),
  };
}

/** Parents that were not named are directories of root, 0755, as an engine makes them. */
function buildTree(paths: Record<string, PathOf>, top: number): Map<string, Entry> {
  const tree = new Map<string, Entry>([['/', toEntry({ type: 'directory', layer: 0 }, top)]]);
  for (const [path, of] of Object.entries(paths)) {
    const parts = path.split('/').slice(1, -1);
    parts.forEach((_, i) => {
      const parent = `/${parts.slice(0, i + 1).join('/')}`;
      if (!tree.has(parent) && paths[parent] === undefined)
        tree.set(parent, toEntry({ type: 'directory', layer: 0 }, top));
    });
    tree.set(path, toEntry(of, top));
  }
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function configOf(of: PictureOf, platform: Platform, layers: readonly LayerFacts[]): ImageConfig {
  const history: HistoryEntry[] = [
    ...layers.map((layer) => (layer.createdBy === undefined ? {} : { created_by: layer.createdBy })),
    ...(of.history ?? []).map((text) => ({ created_by: text, empty_layer: true })),
  ];
  return {
    architecture: platform === 'linux/amd64' ? 'amd64' : 'arm64',
    os: 'linux',
    config: {
      User: of.user ?? '',
      Env: Object.entries(of.env ?? {}).map(([key, value]) => `${key}=${value}`),
      Labels: of.labels ?? {},
      ExposedPorts: Object.fromEntries((of.ports ?? []).map((port) => [port, {}])),
      ...(of.entrypoint === undefined ? {} : { Entrypoint: of.entrypoint }),
      ...(of.cmd === undefined ? {} : { Cmd: of.cmd }),
      ...(of.workdir === undefined ? {} : { WorkingDir: of.workdir }),
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history,
  };
}

/** pictureOf builds what the layer walk would leave behind, from the few facts a test names. */
export function pictureOf(of: PictureOf): Picture {
  const platform = of.platform ?? 'linux/amd64';
  const layers = (of.layers ?? ['base', 'COPY . /']).map((createdBy, index): LayerFacts => {
    const diffId = digestOf(`${String(index)} ${createdBy}`);
    const size = of.layerSize ?? 1000;
    return { digest: digestOf(`gz ${diffId}`), diffId, size, uncompressedSize: size * 3, entries: 1, createdBy };
  });
  const paths = of.paths ?? {};
  const contents = new Map<string, Uint8Array>();
  for (const [path, { content }] of Object.entries(paths))
    if (content !== undefined) contents.set(path, Buffer.from(content));
  const config = configOf(of, platform, layers);
  const bytes = JSON.stringify(config);
  return {
    platform,
    manifestDigest: digestOf(`manifest ${bytes}`),
    manifest: {
      schemaVersion: 2,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(bytes), size: bytes.length },
      layers: layers.map(({ digest, size }) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest,
        size,
      })),
    },
    config,
    layers,
    tree: buildTree(paths, layers.length - 1),
    shadowed: of.shadowed ?? [],
    shadowedTotal: {
      count: of.shadowed?.length ?? 0,
      bytes: (of.shadowed ?? []).reduce((sum, { size }) => sum + size, 0),
    },
    contents,
    matches: of.matches ?? [],
    overLinks: of.overLinks ?? [],
  };
}
