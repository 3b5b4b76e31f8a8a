import { createHash, sign, X509Certificate } from 'node:crypto';
import { ASN1Obj } from '@sigstore/core';
import { initializeCA, initializeCTLog } from '@sigstore/mock';
import { certificatePem, newKeyPair } from '../../src/lab/sigstore/keys.ts';
import { trustedRoot } from '../../src/lab/sigstore/trusted-root.ts';
import type { Fault, Kit } from '../../src/lab/sigstore/kit.ts';
import { workflow } from './stage.ts';
import { githubIssuer } from '../../src/lab/sigstore/identity.ts';

/** What a certificate has beside what every certificate of Fulcio has, each as the DER of its X.509 extension in hex. */
export const x509 = {
  codeSigning: '30130603551d25040c300a06082b06010505070303',
  serverAuthentication: '30130603551d25040c300a06082b06010505070301',
  /** May sign whatever. */
  signing: '300e0603551d0f0101ff040403020780',
  /** May sign certificates, too: an authority is one that may and says that it is one. */
  certificateSigning: '300e0603551d0f0101ff040403020284',
  authority: '300f0603551d130101ff040530030101ff',
} as const;

interface Claim {
  readonly oid: string;
  readonly value: string;
  readonly legacy?: boolean;
}

export interface CertificateOptions {
  /** What the key may be used for: `x509.signing` and `x509.codeSigning`. */
  readonly usage?: readonly string[];
  /** Fulcio's extensions by OID; `legacy`: bare text. */
  readonly claims?: readonly Claim[];
  /** False: the certificate was shown to no certificate log. */
  readonly logged?: boolean;
}

const usages = ['2.5.29.15', '2.5.29.37'];
export const issuerClaim: Claim = { oid: '1.3.6.1.4.1.57264.1.8', value: githubIssuer };

const tlv = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const value = Buffer.concat(parts);
  const long = value.length > 0xff ? [0x82, value.length >> 8] : [0x81];
  const length = value.length < 0x80 ? [] : long;
  return Buffer.concat([Buffer.from([tag, ...length, value.length & 0xff]), value]);
};

/** OwnAuthority is a Fulcio and a certificate log that issue what no honest one would, and a root that trusts both. */
export interface OwnAuthority {
  readonly trustedRoot: string;
  /** Issues for the key of the genuine certificate, in its place. */
  issue(options: CertificateOptions): Fault;
}

export async function ownAuthority(kit: Kit): Promise<OwnAuthority> {
  const [rootKeys, logKeys] = [newKeyPair(), newKeyPair()];
  const log = await initializeCTLog(logKeys);
  // Without a log of its own: what is shown to the log is what was changed here.
  const ca = await initializeCA(rootKeys, undefined);
  const rootDer = Buffer.from(ca.rootCertificate as Uint8Array);
  const keyId = createHash('sha256')
    .update(rootKeys.publicKey.export({ type: 'spki', format: 'der' }))
    .digest();

  /** The certificate with these extensions, signed by the root. */
  const signed = (certificate: ASN1Obj, extensions: readonly Buffer[]): Buffer => {
    const [tbs, algorithm] = certificate.subs;
    const members = tbs?.subs ?? [];
    const body = tlv(
      0x30,
      ...members.slice(0, -1).map((member) => member.toDER()),
      tlv(0xa3, tlv(0x30, ...extensions)),
    );
    const signature = sign('sha384', body, rootKeys.privateKey);
    return tlv(0x30, body, algorithm?.toDER() ?? Buffer.alloc(0), tlv(0x03, Buffer.from([0]), signature));
  };

  const certificateFor = async (spki: Buffer, options: CertificateOptions): Promise<Buffer> => {
    const { usage = [x509.signing, x509.codeSigning], claims = [issuerClaim], logged = true } = options;
    const extensions = claims.map(({ oid, value, legacy = false }) => ({ oid, value, legacy }));
    const made = await ca.issueCertificate({ publicKey: Uint8Array.from(spki), subjectAltName: workflow, extensions });
    const certificate = ASN1Obj.parseBuffer(Buffer.from(made as Uint8Array));
    const own = certificate.subs[0]?.subs.at(-1)?.subs[0]?.subs ?? [];
    const kept = own.filter(({ subs }) => !usages.includes(subs[0]?.toOID() ?? '')).map((one) => one.toDER());
    const all = [...kept, ...usage.map((hex) => Buffer.from(hex, 'hex'))];
    const unlogged = signed(certificate, all);
    if (!logged) return unlogged;
    const proof = Buffer.from(await log.log(Uint8Array.from(unlogged).buffer, Uint8Array.from(keyId).buffer));
    const list = tlv(0x04, tlv(0x04, Buffer.from([0, proof.length]), proof));
    return signed(certificate, [...all, tlv(0x30, Buffer.from('060a2b06010401d679020402', 'hex'), list)]);
  };

  const trusted = JSON.parse(JSON.stringify(kit.trustedRoot)) as Record<string, unknown>;
  const mine = trustedRoot({
    url: kit.url,
    since: new Date(Date.now() - 3_600_000),
    fulcio: rootDer,
    rekor: kit.rekor.keys.publicKey,
    ct: logKeys.publicKey,
    tsa: [],
  }) as Record<string, unknown>;
  const { certificateAuthorities, ctlogs } = mine;
  return {
    trustedRoot: JSON.stringify({ ...trusted, certificateAuthorities, ctlogs }),
    issue: (options) => async (answer) => {
      const given = await answer();
      const { signedCertificateEmbeddedSct: genuine } = JSON.parse(given.body.toString()) as {
        signedCertificateEmbeddedSct: { chain: { certificates: string[] } };
      };
      const spki = new X509Certificate(genuine.chain.certificates[0] ?? '').publicKey.export({
        type: 'spki',
        format: 'der',
      });
      const certificates = [certificatePem(await certificateFor(spki, options)), certificatePem(rootDer)];
      return { ...given, body: JSON.stringify({ signedCertificateEmbeddedSct: { chain: { certificates } } }) };
    },
  };
}
