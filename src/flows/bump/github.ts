import * as z from 'zod';
import { AppError } from '../../errors/index.ts';
import { isDigest, type Digest } from '../../core/index.ts';
import type { Sources } from './resolver.ts';

const assetSchema = z.object({
  name: z.string(),
  size: z.number().optional(),
  /** `sha256:…`; null for what was uploaded before GitHub computed digests (June 2025). */
  digest: z.string().nullish(),
  browser_download_url: z.string(),
});
const releaseSchema = z.object({
  tag_name: z.string(),
  draft: z.boolean().optional(),
  prerelease: z.boolean().optional(),
  published_at: z.string().nullish(),
  html_url: z.string().optional(),
  assets: z.array(assetSchema),
});

export interface Release {
  readonly tag: string;
  readonly draft: boolean;
  readonly prerelease: boolean;
  readonly published?: string;
  readonly link?: string;
  readonly assets: readonly { readonly name: string; readonly url: string; readonly digest?: Digest }[];
}

function toRelease(raw: z.infer<typeof releaseSchema>): Release {
  return {
    tag: raw.tag_name,
    draft: raw.draft ?? false,
    prerelease: raw.prerelease ?? false,
    ...(raw.published_at == null ? {} : { published: raw.published_at }),
    ...(raw.html_url === undefined ? {} : { link: raw.html_url }),
    assets: raw.assets.map(({ name, digest, browser_download_url: url }) => ({
      name,
      url,
      ...(digest != null && isDigest(digest) ? { digest } : {}),
    })),
  };
}

/** ownerAndName reads `https://github.com/<owner>/<name>`. */
export function ownerAndName(repository: string): { readonly host: string; readonly path: string } {
  const { host, pathname } = new URL(repository);
  const [owner, name, ...rest] = pathname.replace(/^\/|\/$|\.git$/g, '').split('/');
  if (owner === undefined || owner === '' || name === undefined || rest.length > 0)
    throw new AppError('bump/repository', 'usage', 'the repository names no owner and project', {
      expected: 'https://github.com/<owner>/<name>',
      found: repository,
    });
  return { host, path: `${owner}/${name}` };
}

function apiOf(repository: string): string {
  const { host, path } = ownerAndName(repository);
  return host === 'github.com' ? `https://api.github.com/repos/${path}` : `https://${host}/api/v3/repos/${path}`;
}

function authorization({ host: { env } }: Sources, repository: string): string | undefined {
  // The token of github.com is nobody else's business.
  if (new URL(repository).host !== 'github.com') return undefined;
  const token = env['GITHUB_TOKEN'] ?? env['GH_TOKEN'];
  return token === undefined || token === '' ? undefined : `Bearer ${token}`;
}

function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError('bump/unexpected-answer', 'upstream', `${what}: not the shape of GitHub's API`, {
    expected: 'releases as docs.github.com/rest/releases describes them',
    found: parsed.error.issues[0]?.message ?? 'something else',
  });
}

const accept = 'application/vnd.github+json';

/** listReleases gives the newest 100 releases with all their assets, in one call. */
export async function listReleases(sources: Sources, repository: string): Promise<readonly Release[]> {
  return sources.once(`releases ${repository}`, async () => {
    const ask = { accept, remember: true, authorization: authorization(sources, repository) };
    const value = await sources.web.json(`${apiOf(repository)}/releases?per_page=100`, ask);
    if (value === undefined)
      throw new AppError('bump/upstream', 'upstream', `${repository} has no list of releases`, {
        found: 'not found',
        hint: 'check the spelling; a private repository needs GITHUB_TOKEN',
      });
    return parse(z.array(releaseSchema), value, `the releases of ${repository}`).map(toRelease);
  });
}

/** findRelease gives one release by its tag; one call for all architectures, none when the list has it. */
export async function findRelease(sources: Sources, repository: string, tag: string): Promise<Release | undefined> {
  const listed = (await listReleases(sources, repository)).find((release) => release.tag === tag);
  if (listed !== undefined) return listed;
  return sources.once(`release ${repository} ${tag}`, async () => {
    const ask = { accept, remember: true, authorization: authorization(sources, repository) };
    const value = await sources.web.json(`${apiOf(repository)}/releases/tags/${encodeURIComponent(tag)}`, ask);
    return value === undefined ? undefined : toRelease(parse(releaseSchema, value, `the release ${tag}`));
  });
}

const attestationsSchema = z.object({ attestations: z.array(z.object({ bundle: z.unknown() })) });

/** listAttestations gives the Sigstore bundles that GitHub keeps about a digest (docs.github.com/rest/repos/attestations). */
export async function listAttestations(
  sources: Sources,
  repository: string,
  digest: Digest,
): Promise<readonly Buffer[]> {
  const ask = { accept, remember: true, authorization: authorization(sources, repository) };
  const value = await sources.web.json(`${apiOf(repository)}/attestations/${digest}?per_page=100`, ask);
  if (value === undefined) return [];
  const { attestations } = parse(attestationsSchema, value, `the attestations of ${digest}`);
  if (attestations.some(({ bundle }) => bundle == null))
    throw new AppError('bump/unexpected-answer', 'upstream', 'GitHub names an attestation without its bundle', {
      found: `one of ${attestations.length} about ${digest}`,
    });
  return attestations.map(({ bundle }) => Buffer.from(JSON.stringify(bundle)));
}
