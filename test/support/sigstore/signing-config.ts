/** Where cosign 3 signs (protobuf-specs, SigningConfig v0.2). */
export function signingConfig(url: string): object {
  const service = (path = '') => [
    { url: `${url}${path}`, majorApiVersion: 1, validFor: { start: '2020-01-01T00:00:00Z' }, operator: 'kit' },
  ];
  return {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: service(),
    oidcUrls: [],
    rekorTlogUrls: service(),
    tsaUrls: service('/api/v1/timestamp'),
    rekorTlogConfig: { selector: 'ANY' },
    tsaConfig: { selector: 'ANY' },
  };
}
