import { X509Certificate } from '@sigstore/core';
import type { TrustMaterial } from '@sigstore/verify';

/**
 * KnownCertificate is a certificate that is met again and again: those of the trust root with every bundle, a signer's
 * with every bundle of a tree. What depends on its bytes alone is worked out once; a certificate never changes.
 */
export class KnownCertificate extends X509Certificate {
  #der: Buffer | undefined;
  #publicKey: Buffer | undefined;
  readonly #verified = new WeakMap<X509Certificate, boolean>();

  get der(): Buffer {
    this.#der ??= this.root.toDER();
    return this.#der;
  }

  override get publicKey(): Buffer {
    this.#publicKey ??= super.publicKey;
    return this.#publicKey;
  }

  override equals(other: X509Certificate): boolean {
    return this.der.equals(other instanceof KnownCertificate ? other.der : other.root.toDER());
  }

  /** Whether `issuer`, or it itself, signed it. */
  override verify(issuer?: X509Certificate): boolean {
    const by = issuer ?? this;
    // What throws is asked again.
    const verified = this.#verified.get(by) ?? super.verify(issuer);
    if (by instanceof KnownCertificate) this.#verified.set(by, verified);
    return verified;
  }

  /** A plain one, for a caller that changes it. */
  override clone(): X509Certificate {
    return X509Certificate.parse(Buffer.from(this.der));
  }
}

type Authority = TrustMaterial['certificateAuthorities'][number];

const known = (authority: Authority): Authority => ({
  ...authority,
  certChain: authority.certChain.map(({ root }) => new KnownCertificate(root)),
});

/** knownMaterial is the same trust, whose certificates are worked through once. */
export function knownMaterial(material: TrustMaterial): TrustMaterial {
  return {
    ...material,
    certificateAuthorities: material.certificateAuthorities.map(known),
    timestampAuthorities: material.timestampAuthorities.map(known),
  };
}
