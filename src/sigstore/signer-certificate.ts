import { X509Certificate as NodeCertificate } from 'node:crypto';
import { ASN1Obj } from '@sigstore/core';
import { identityOf, type Identity } from './certificate.ts';
import { keyProblem } from './key-strength.ts';
import { KnownCertificate } from './known-certificate.ts';
import { refuse, type Refused } from './refusal.ts';

/** SignerCertificate is a signer's certificate with what it says of its holder. */
export interface SignerCertificate {
  readonly certificate: KnownCertificate;
  /** Absent when it names no identity. */
  readonly identity: Identity | undefined;
  /** Why it is none to sign with. */
  readonly usage: Refused | undefined;
}

const codeSigning = '1.3.6.1.5.5.7.3.3';
/** A writer of the repository may attach bundles with any number of certificates. */
const most = 64;

/** A certificate made for something else (a server, a CA) is none to sign with. */
function usageProblem(der: Buffer): Refused | undefined {
  const certificate = new NodeCertificate(der);
  const usages = certificate.keyUsage as readonly string[] | undefined;
  const weak = keyProblem(certificate.publicKey);
  if (weak !== undefined) return refuse('certificate', weak);
  if (certificate.ca) return refuse('certificate', 'a CA certificate signed it');
  return usages?.includes(codeSigning) === true ? undefined : refuse('certificate', 'it is not meant for signing code');
}

/**
 * signerCertificates reads certificates by their bytes, each once: one certificate signs a whole tree. Throws what the
 * parsers throw about bytes that are no certificate.
 */
export function signerCertificates(): (der: Buffer) => SignerCertificate {
  const read = new Map<string, SignerCertificate>();
  return (der) => {
    const key = der.toString('latin1');
    const there = read.get(key);
    if (there !== undefined) return there;
    const certificate = new KnownCertificate(ASN1Obj.parseBuffer(Buffer.from(der)));
    const found = { certificate, identity: identityOf(certificate), usage: usageProblem(der) };
    if (read.size >= most) read.clear();
    read.set(key, found);
    return found;
  };
}
