import { isUtf8 } from 'node:buffer';
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
  const text = der.subarray(skip);
  return text.length === length && isUtf8(text) ? text.toString('utf8') : undefined;
}

const subjectAltName = '2.5.29.17';
/** Context-specific tags of a GeneralName (RFC 5280, 4.2.1.6), both IA5Strings. */
const rfc822Name = 0x01;
const uri = 0x06;

/**
 * nameOf returns the one subject alternative name. Its bytes are compared as they are: @sigstore/core reads them as
 * ASCII, which drops the high bit of each, so that `\xe8ttps` would be `https`.
 */
function nameOf(certificate: X509Certificate): string | undefined {
  const names = certificate.extension(subjectAltName)?.valueObj.subs[0]?.subs ?? [];
  const [name] = names;
  if (name === undefined || names.length > 1) return undefined;
  if (!name.tag.isContextSpecific(uri) && !name.tag.isContextSpecific(rfc822Name)) return undefined;
  const text = name.value.toString('latin1');
  return /^[\x21-\x7e]+$/.test(text) ? text : undefined;
}

/** A certificate with an extension twice means one thing here and another there (RFC 5280, 4.2 forbids it). */
function hasTwice(certificate: X509Certificate): boolean {
  const oids = certificate.extensions.map(({ subs }) => subs[0]?.toOID());
  return new Set(oids).size < oids.length;
}

/**
 * identityOf reads name, issuer and extensions; undefined when there is no name or no issuer, or when one of them is not
 * written as Fulcio writes it.
 */
export function identityOf(certificate: X509Certificate): Identity | undefined {
  if (hasTwice(certificate)) return undefined;
  const read = (name: ExtensionName): string | undefined => {
    const value = certificate.extension(extensionOids[name])?.value;
    if (value === undefined) return undefined;
    // The oldest extension is the bare text; all later ones are UTF8Strings.
    return name === 'issuerV1' ? Buffer.from(value).toString('utf8') : utf8String(Buffer.from(value));
  };
  const name = nameOf(certificate);
  // Only a certificate that lacks the newer extension is read by the older one.
  const issuer = read(certificate.extension(extensionOids.issuer) === undefined ? 'issuerV1' : 'issuer');
  if (name === undefined || issuer === undefined) return undefined;
  const found = (Object.keys(extensionOids) as ExtensionName[]).flatMap((key) => {
    const value = read(key);
    return value === undefined ? [] : [[key, value] as const];
  });
  return { name, issuer, extensions: Object.fromEntries(found) };
}
