/** Where cosign 3 signs (protobuf-specs, SigningConfig v0.2); the log is Rekor 1 or 2. */
export function signingConfig(url: string, log: 1 | 2 = 1): object {
  const service = (path = '', majorApiVersion = 1) => [
    { url: `${url}${path}`, majorApiVersion, validFor: { start: '2020-01-01T00:00:00Z' }, operator: 'kit' },
  ];
  return {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: service(),
    oidcUrls: [],
    rekorTlogUrls: service('', log),
    tsaUrls: service('/api/v1/timestamp'),
    rekorTlogConfig: { selector: 'ANY' },
    tsaConfig: { selector: 'ANY' },
  };
}
