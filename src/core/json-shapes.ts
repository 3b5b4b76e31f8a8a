/**
 * Shape says which members Go's structs have at a place of a document. `map`: keys are data and distinguished
 * by case, as in a Go map. A list of one shape: every element has it, and null stands for no elements.
 * `any`: not read here.
 */
export type Shape = 'any' | 'map' | readonly [Shape] | { readonly [member: string]: Shape };

const platform: Shape = { os: 'any', architecture: 'any', variant: 'any', 'os.version': 'any', 'os.features': 'any' };

const descriptor: Shape = {
  mediaType: 'any',
  digest: 'any',
  size: 'any',
  urls: 'any',
  annotations: 'map',
  data: 'any',
  artifactType: 'any',
  platform,
};

/** An index or a manifest: which of the two it is shows only in its members. */
export const nodeShape: Shape = {
  schemaVersion: 'any',
  mediaType: 'any',
  artifactType: 'any',
  config: descriptor,
  layers: [descriptor],
  manifests: [descriptor],
  fsLayers: 'any',
  history: 'any',
  subject: descriptor,
  annotations: 'map',
};

const runtime: Shape = {
  User: 'any',
  ExposedPorts: 'map',
  Env: 'any',
  Entrypoint: 'any',
  Cmd: 'any',
  Volumes: 'map',
  WorkingDir: 'any',
  Labels: 'map',
  StopSignal: 'any',
};

/** An image's config, of the OCI or of Docker. */
export const configShape: Shape = {
  created: 'any',
  author: 'any',
  architecture: 'any',
  os: 'any',
  variant: 'any',
  'os.version': 'any',
  'os.features': 'any',
  config: runtime,
  container_config: runtime,
  rootfs: { type: 'any', diff_ids: ['any'] },
  history: [{ created: 'any', created_by: 'any', author: 'any', comment: 'any', empty_layer: 'any' }],
};

/** manifest.json of a docker-archive. */
export const dockerArchiveShape: Shape = [{ Config: 'any', RepoTags: ['any'], Layers: ['any'], LayerSources: 'map' }];

/** The file oci-layout. */
export const layoutShape: Shape = { imageLayoutVersion: 'any' };
