import * as z from 'zod';
import { isDigest, type Digest } from '../core/index.ts';
import { apiOf, GitHub, type Host } from '../host/index.ts';
import type { Answers } from './answers.ts';
import { UpstreamError } from './errors.ts';
import { unexpected } from './types.ts';
import type { Web } from './web.ts';

const releaseSchema = z
  .object({
    tag_name: z.string(),
    draft: z.boolean().default(false),
    prerelease: z.boolean().default(false),
    published_at: z.string().nullish(),
    html_url: z.string().optional(),
    assets: z.array(
      z.object({
        name: z.string(),
        /** `sha256:…`; null for what was uploaded before GitHub computed digests (June 2025). */
        digest: z.string().nullish(),
        browser_download_url: z.string(),
      }),
    ),
  })
  .transform(({ tag_name, draft, prerelease, published_at, html_url, assets }) => ({
    tag: tag_name,
    draft,
    prerelease,
    published: published_at ?? undefined,
    link: html_url,
    assets: assets.map(({ name, digest, browser_download_url: url }) => ({
      name,
      url,
      digest: digest != null && isDigest(digest) ? digest : undefined,
    })),
  }));

export type Release = Readonly<z.infer<typeof releaseSchema>>;

const attestationsSchema = z.object({ attestations: z.array(z.object({ bundle: z.unknown() })) });

/** GitHubReleases is what GitHub's API says of repositories: releases, and attestations of digests. */
export class GitHubReleases {
  readonly #host: Host;
  readonly #web: Web;
  readonly #answers: Answers;

  constructor(host: Host, web: Web, answers: Answers) {
    this.#host = host;
    this.#web = web;
    this.#answers = answers;
  }

  #api(repository: string): GitHub {
    return new GitHub(
      apiOf(repository, this.#host.env),
      (url, { headers, authorization }) => this.#web.json(url, { headers, authorization, remember: true }),
      'bump/unexpected-answer',
    );
  }

  /** list returns the newest 100 releases with all their assets, in one call. */
  list(repository: string): Promise<readonly Release[]> {
    return this.#answers.once(`releases ${repository}`, async () => {
      const releases = await this.#api(repository).ask(z.array(releaseSchema), '/releases?per_page=100');
      if (releases !== undefined) return releases;
      throw new UpstreamError('bump/upstream', 'upstream', `${repository} has no list of releases`, {
        found: 'not found',
        hint: 'check the spelling; a private repository needs GITHUB_TOKEN',
      });
    });
  }

  /** find returns one release by its tag; one call for all architectures, none when the list has it. */
  async find(repository: string, tag: string): Promise<Release | undefined> {
    const listed = (await this.list(repository)).find((release) => release.tag === tag);
    if (listed !== undefined) return listed;
    return this.#answers.once(`release ${repository} ${tag}`, () =>
      this.#api(repository).ask(releaseSchema, `/releases/tags/${encodeURIComponent(tag)}`),
    );
  }

  /** attestations returns the Sigstore bundles about a digest (docs.github.com/rest/repos/attestations). */
  async attestations(repository: string, digest: Digest): Promise<readonly Buffer[]> {
    const found = await this.#api(repository).ask(attestationsSchema, `/attestations/${digest}?per_page=100`);
    return (found?.attestations ?? []).map(({ bundle }) => {
      if (bundle == null)
        throw unexpected('GitHub names an attestation without its bundle', `bundles about ${digest}`, 'one without');
      return Buffer.from(JSON.stringify(bundle));
    });
  }
}
