import type { Mirrors, Pin } from '../core/index.ts';
import type { Host } from '../host/index.ts';
import { createRegistry, type Registry } from '../registry/index.ts';
import { Answers } from './answers.ts';
import { ActionUpstream, GitUpstream } from './git.ts';
import { GitHubReleases } from './github.ts';
import { ImageUpstream } from './images.ts';
import { NpmUpstream } from './npm.ts';
import { PythonUpstream } from './python.ts';
import { ReleaseUpstream } from './releases.ts';
import { Repositories } from './repositories.ts';
import type { Upstreams } from './types.ts';
import { Web } from './web.ts';

export type { GitHubReleases } from './github.ts';
export { pageOfImage, pageOfPackage, releasesOf } from './links.ts';
export { Disagreement, Incomplete, type Upstream, type Upstreams } from './types.ts';

export interface UpstreamOptions {
  /** Absolute path of the project. */
  readonly root: string;
  readonly mirrors: Mirrors;
  readonly pins: ReadonlyMap<string, Pin>;
}

/** Publishers is one upstream of each kind, and the two clients of theirs that know about signatures, too. */
export interface Publishers {
  readonly upstreams: Upstreams & { readonly image: ImageUpstream };
  readonly registry: Registry;
  readonly github: GitHubReleases;
}

/** createPublishers lives as long as one command, so that nothing is asked twice. */
export function createPublishers(host: Host, { root, mirrors, pins }: UpstreamOptions): Publishers {
  const answers = new Answers(host);
  const web = new Web(host, mirrors, answers);
  const github = new GitHubReleases(host, web, answers);
  const registry = createRegistry(host, { mirrors, pages: answers });
  const repositories = new Repositories(host, mirrors, answers);
  return {
    registry,
    github,
    upstreams: {
      image: new ImageUpstream(host, registry, mirrors, answers),
      release: new ReleaseUpstream(github, web, answers),
      npm: new NpmUpstream(host, root, answers),
      python: new PythonUpstream(web, answers, pins),
      git: new GitUpstream(repositories),
      action: new ActionUpstream(repositories),
    },
  };
}
