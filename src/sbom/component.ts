import type { Digest } from '../core/index.ts';

export type Ecosystem = 'rpm' | 'deb' | 'npm' | 'pypi' | 'golang' | 'generic';

/** Package is one installed package or pinned artifact, as some file of the image declares it. */
export interface Package {
  readonly ecosystem: Ecosystem;
  readonly name: string;
  readonly version: string;
  /** Package URL (github.com/package-url/purl-spec); two packages with the same purl are one. */
  readonly purl: string;
  /** As declared: an SPDX id, an SPDX expression or the publisher's own words. */
  readonly license?: string | undefined;
  readonly sha256?: string | undefined;
  /** Where a pinned artifact was fetched from, and the SHA-256 that it was held against there. */
  readonly origin?:
    { readonly kind: 'distribution' | 'vcs'; readonly url: string; readonly sha256?: string | undefined } | undefined;
  /** The file that declares it, absolute in the image. */
  readonly path: string;
  /** Layer that brought that file, 0 the lowest. */
  readonly layer: { readonly index: number; readonly digest: Digest };
  /** Name of the pin it came from, where one is known. */
  readonly pin?: string | undefined;
}

/** Declared is what one reader of a package database finds, before it is placed in a layer. */
export type Declared = Omit<Package, 'layer' | 'pin' | 'path' | 'purl'> & { readonly purl: PurlParts };

export interface PurlParts {
  readonly type: Ecosystem;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly version: string;
  readonly qualifiers?: Readonly<Record<string, string | undefined>> | undefined;
}
