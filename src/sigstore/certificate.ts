import type { X509Certificate } from '@sigstore/core';

/** Fulcio's certificate extensions (github.com/sigstore/fulcio, docs/oid-info.md) that a policy may ask for. */
export const extensionOids = {
  issuerV1: '1.3.6.1.4.1.57264.1.1',
  issuer: '1.3.6.1.4.1.57264.1.8',
  buildSignerUri: '1.3.6.1.4.1.57264.1.9',
  runnerEnvironment: '1.3.6.1.4.1.57264.1.11',
  repository: '1.3.6.1.4.1.57264.1.12',
  commit: '1.3.6.1.4.1.57264.1.13',
  ref: '1.3.6.1.4.1.57264.1.14',
  workflow: '1.3.6.1.4.1.57264.1.18',
  trigger: '1.3.6.1.4.1.57264.1.20',
  run: '1.3.6.1.4.1.57264.1.21',
} as const;
export type ExtensionName = keyof typeof extensionOids;

/** Identity is what a Fulcio certificate says of its holder, every value whole. */
export interface Identity {
  /** Subject alternative name: a workflow's address, or an e-mail address. */
  readonly name: string;
  readonly issuer: string;
  readonly extensions: Readonly<Partial<Record<ExtensionName, string>>>;
}

const UTF8_STRING = 0x0c;

/** A DER UTF8String with a length of up to 65 535 bytes; undefined for anything else. */
function utf8String(der: Buffer): string | undefined {
  if (der[0] !== UTF8_STRING) return undefined;
  const first = der[1] ?? 0;
  const skip = first < 0x80 ? 2 : first === 0x81 ? 3 : first === 0x82 ? 4 : undefined;
  if (skip === undefined) return undefined;
  const length = skip === 2 ? first : der.readUIntBE(2, skip - 2);
  return der.length === skip + length ? der.subarray(skip).toString('utf8') : undefined;
}

/** identityOf reads name, issuer and extensions; undefined when there is no name or no issuer. */
export function identityOf(certificate: X509Certificate): Identity | undefined {
  const read = (name: ExtensionName): string | undefined => {
    const value = certificate.extension(extensionOids[name])?.value;
    if (value === undefined) return undefined;
    // The oldest extension is the bare text; all later ones are UTF8Strings.
    return name === 'issuerV1' ? Buffer.from(value).toString('utf8') : utf8String(Buffer.from(value));
  };
  const name = certificate.subjectAltName;
  const issuer = read('issuer') ?? read('issuerV1');
  if (name === undefined || issuer === undefined) return undefined;
  const found = (Object.keys(extensionOids) as ExtensionName[]).flatMap((key) => {
    const value = read(key);
    return value === undefined ? [] : [[key, value] as const];
  });
  return { name, issuer, extensions: Object.fromEntries(found) };
}
