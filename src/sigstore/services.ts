/** Where the parts of a Sigstore answer. Rekor is version 1: cosign 3.1 ignores bundles of version 2. */
export interface Services {
  readonly fulcio: string;
  /** Absent only for air-gapped signing with a key. */
  readonly rekor?: string;
  /** RFC 3161 timestamp authority. */
  readonly tsa?: string;
  /** Further attempts after a failure. Default 3. */
  readonly retries?: number;
  /** Milliseconds before the second attempt; doubled each time. Default 1000. */
  readonly backoff?: number;
  /** Milliseconds for one answer. Default 30 000. */
  readonly timeout?: number;
}

/** The instance that the Sigstore project runs for everybody. */
export const publicServices: Services = {
  fulcio: 'https://fulcio.sigstore.dev',
  rekor: 'https://rekor.sigstore.dev',
  tsa: 'https://timestamp.sigstore.dev/api/v1/timestamp',
};

/** How often and how long a service is asked. */
export type Patience = Pick<Services, 'retries' | 'backoff' | 'timeout'>;

/** under gives the address of a service's path. */
export const under = (base: string, path: string): string => `${base.replace(/\/+$/, '')}${path}`;
