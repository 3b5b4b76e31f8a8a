/** Media types of the OCI image spec 1.1 and their Docker schema 2 twins. */
export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

/** isIndexType returns whether the type is an OCI index or a Docker manifest list. */
export const isIndexType = (type: string): boolean => type === mediaTypes.index || type === mediaTypes.dockerList;
/** isManifestType returns whether the type is an OCI or a Docker manifest of one image. */
export const isManifestType = (type: string): boolean =>
  type === mediaTypes.manifest || type === mediaTypes.dockerManifest;

/** Upper limit of a manifest, index or config, in bytes: what registries themselves accept. */
export const maxManifestBytes = 4 * 1024 * 1024;
