import { braceExpand } from 'minimatch';
import { matchesGlob } from '../glob.ts';

/** Allowed is one place where a credential format is known to hold no credential. */
export interface Allowed {
  /** Rule ids, or `*`. */
  readonly rules: readonly string[];
  readonly path: string;
  readonly reason: string;
}

/**
 * allowlist names published files whose contents anyone can read elsewhere. A key that is public
 * protects nothing, so finding it in an image reveals nothing. What is particular to one
 * image belongs in that image's waivers, with an owner and an expiry.
 */
export const allowlist: readonly Allowed[] = [
  {
    rules: ['private-key', 'pgp-private-key'],
    path: '/**/python3*/test/**',
    reason: "CPython's own test certificates, published in its source",
  },
  {
    rules: ['private-key', 'pgp-private-key', 'jwt', 'google-api-key', 'aws-access-key-id', 'url-credentials'],
    path: '/**/{dist,site}-packages/**/tests/**',
    reason: 'test data of a published Python package',
  },
  {
    rules: ['private-key', 'pgp-private-key', 'jwt', 'aws-access-key-id', 'url-credentials'],
    path: '/**/node_modules/**/test/**',
    reason: 'test data of a published npm package',
  },
  {
    rules: ['private-key', 'pgp-private-key', 'jwt', 'aws-access-key-id', 'google-api-key', 'url-credentials'],
    path: '/usr/share/doc/**',
    reason: 'documentation of a distribution package',
  },
  {
    rules: ['private-key', 'pgp-private-key'],
    path: '/usr/share/perl5/**',
    reason: 'examples in the manual pages of Perl modules',
  },
  {
    rules: ['private-key'],
    path: '/usr/{lib,lib64,lib/*}/libgnutls.so.*',
    reason: "keys of GnuTLS's own self-tests, published in its source and compiled into the library",
  },
  {
    rules: ['private-key', 'pgp-private-key', 'jwt', 'url-credentials'],
    path: '/usr/{lib/golang,lib/go-*,share/go-*}/src/**',
    reason: "test data of Go's own standard library, published in its source",
  },
  {
    rules: ['google-oauth-token'],
    path: '/**/@google/gemini-cli*/**',
    reason: 'client secret of an installed application, which Google documents as not secret',
  },
];

/** allowedBecause returns the reason why a hit in this path is no finding, or undefined. */
export function allowedBecause(rule: string, path: string): string | undefined {
  return allowlist.find(
    (allowed) =>
      (allowed.rules.includes(rule) || allowed.rules.includes('*')) &&
      braceExpand(allowed.path).some((glob) => matchesGlob(glob, path)),
  )?.reason;
}
