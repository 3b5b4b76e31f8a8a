import { AppError } from '../errors/index.ts';

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

export function clientOptions({ retries = 3, backoff = 1000, timeout = 30_000 }: Services) {
  return { retry: { retries, minTimeout: backoff, factor: 2 }, timeout };
}

const places: Readonly<Record<string, { readonly code: string; readonly name: string; readonly key: keyof Services }>> =
  {
    CA_CREATE_SIGNING_CERTIFICATE_ERROR: { code: 'sigstore/fulcio', name: 'Fulcio gave no certificate', key: 'fulcio' },
    TLOG_CREATE_ENTRY_ERROR: { code: 'sigstore/rekor', name: 'Rekor took no entry', key: 'rekor' },
    TLOG_FETCH_ENTRY_ERROR: { code: 'sigstore/rekor', name: 'Rekor gave no entry', key: 'rekor' },
    TSA_CREATE_TIMESTAMP_ERROR: { code: 'sigstore/tsa', name: 'the timestamp authority gave no timestamp', key: 'tsa' },
  };

/**
 * told turns what the Sigstore client threw into an error of ours. Only its words go on, scrubbed of
 * the token: the client's own message of one case holds it whole, and causes may hold requests.
 */
export function told(error: unknown, services: Services, secret?: string): unknown {
  if (error instanceof AppError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const place = places[code];
  if (place === undefined && code !== 'IDENTITY_TOKEN_PARSE_ERROR' && code !== 'IDENTITY_TOKEN_READ_ERROR')
    return error;
  const scrub = (text: string): string =>
    (secret === undefined || secret === '' ? text : text.replaceAll(secret, '…')).replace(
      /eyJ[\w-]*\.[\w-]*\.[\w-]*/g,
      '…',
    );
  const cause = error instanceof Error && error.cause instanceof Error ? scrub(error.cause.message) : undefined;
  const where = place === undefined ? undefined : services[place.key];
  return new AppError(
    place?.code ?? 'sigstore/bad-token',
    'upstream',
    place?.name ?? 'the identity token is malformed',
    {
      ...(where === undefined ? {} : { where: { file: String(where) } }),
      found: scrub(cause ?? 'a refusal without a reason').slice(0, 400),
      hint: 'nothing was attached to the image; run it again, what is signed already is kept',
    },
  );
}
