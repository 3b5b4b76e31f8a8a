import { SigningConfig, ServiceSelector, type Service } from '@sigstore/protobuf-specs';
import {
  bundleBuilderFromSigningConfig,
  DSSEBundleBuilder,
  FulcioSigner,
  RekorWitness,
  TSAWitness,
  type Witness,
} from '@sigstore/sign';
import { AppError } from '../errors/index.ts';
import { defaultTimeout, type Patience } from './call.ts';

/** Services are where the parts of a Sigstore instance answer: addresses, or the instance's own signing config. */
export interface Services extends Patience {
  readonly fulcio?: string | undefined;
  /** Rekor version 1. Absent only for air-gapped signing with a key. */
  readonly rekor?: string | undefined;
  /** RFC 3161 timestamp authority. */
  readonly tsa?: string | undefined;
  /** Instead of the addresses. Its log may be Rekor version 2, whose bundles cosign 2 cannot verify. */
  readonly signingConfig?: SigningConfig | undefined;
}

/** The instance that the Sigstore project runs for everybody. */
export const publicServices: Services = {
  fulcio: 'https://fulcio.sigstore.dev',
  rekor: 'https://rekor.sigstore.dev',
  tsa: 'https://timestamp.sigstore.dev/api/v1/timestamp',
};

/** Upper limit of a signing config, in bytes; the public one has about 1 500. */
export const maxSigningConfigBytes = 256 * 1024;

const bad = (found: string, cause?: unknown): AppError =>
  new AppError('sigstore/signing-config', 'usage', 'the signing config cannot be used', {
    expected: 'signing_config.json (application/vnd.dev.sigstore.signingconfig.v0.2+json)',
    found,
    cause,
  });

/** readSigningConfig reads the addresses of an instance's services. Throws `sigstore/signing-config`. */
export function readSigningConfig(text: string): SigningConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad('no JSON', cause);
  }
  const type = (value as { mediaType?: unknown } | null)?.mediaType;
  if (typeof type !== 'string' || !type.startsWith('application/vnd.dev.sigstore.signingconfig.v0.2'))
    throw bad(`the media type ${JSON.stringify(type)}`);
  const config = SigningConfig.fromJSON(value);
  for (const { url } of [...config.caUrls, ...config.rekorTlogUrls, ...config.tsaUrls])
    if (!isHttp(url)) throw bad(`the address ${url}`);
  return config;
}

const isHttp = (url: string): boolean => /^https?:\/\//i.test(url) && URL.canParse(url);

function at(code: string, url: string | undefined): Service[] {
  if (url === undefined) return [];
  if (!isHttp(url))
    throw new AppError(code, 'usage', 'the address of the service cannot be used', {
      expected: 'an http(s) address',
      found: url,
    });
  return [{ url: url.replace(/\/+$/, ''), majorApiVersion: 1, validFor: undefined, operator: '' }];
}

function configOf({ fulcio, rekor, tsa, signingConfig }: Services): SigningConfig {
  if (signingConfig !== undefined) return signingConfig;
  const any = { selector: ServiceSelector.ANY, count: 0 };
  return {
    mediaType: '',
    caUrls: at('sigstore/fulcio', fulcio ?? publicServices.fulcio),
    oidcUrls: [],
    rekorTlogUrls: at('sigstore/rekor', rekor),
    rekorTlogConfig: rekor === undefined ? undefined : any,
    tsaUrls: at('sigstore/tsa', tsa),
    tsaConfig: tsa === undefined ? undefined : any,
  };
}

export interface Parts {
  readonly fulcio: FulcioSigner;
  readonly log: Witness | undefined;
  /** Major version of the log's interface. */
  readonly logVersion: number;
  readonly timestamp: Witness | undefined;
}

/**
 * partsOf returns what @sigstore/sign builds of the services. Its builder would fetch a certificate for every
 * signature and keeps its parts to itself, so they are taken out of it by the names that its types give them. `token`
 * returns the identity token when a certificate is fetched. Throws `sigstore/signing-config`, and on an address that
 * is none `sigstore/fulcio`, `sigstore/rekor`, `sigstore/tsa`.
 */
export function partsOf(services: Services, now: Date, token: () => string, newestLog = 2): Parts {
  const config = configOf(services);
  // The builder takes the service that started last, also one that has not started yet.
  const started = ({ validFor }: Service): boolean => (validFor?.start ?? now) <= now;
  const signingConfig = {
    ...config,
    caUrls: config.caUrls.filter(started),
    rekorTlogUrls: config.rekorTlogUrls.filter((log) => started(log) && log.majorApiVersion <= newestLog),
    tsaUrls: config.tsaUrls.filter(started),
  };
  try {
    const builder = bundleBuilderFromSigningConfig({
      signingConfig,
      identityProvider: { getToken: async () => token() },
      bundleType: 'dsseEnvelope',
      fetchOptions: { retry: false, timeout: services.timeout ?? defaultTimeout },
    });
    if (!(builder instanceof DSSEBundleBuilder)) throw new TypeError('the builder of @sigstore/sign is another one');
    const fulcio = builder['signer'];
    const witnesses = builder['witnesses'] as readonly Witness[];
    if (!(fulcio instanceof FulcioSigner)) throw new TypeError('the signer of @sigstore/sign is another one');
    const log = witnesses.find((one) => one instanceof RekorWitness);
    return {
      fulcio,
      log,
      logVersion: (log?.['majorApiVersion'] as number | undefined) ?? 1,
      timestamp: witnesses.find((one) => one instanceof TSAWitness),
    };
  } catch (cause) {
    throw bad(cause instanceof Error ? cause.message : String(cause), cause);
  }
}
