import type { Entry, Finding, RuleInfo } from '../../core/index.ts';
import { layerOrigin } from '../blame.ts';
import type { Rule, RuleContext } from '../context.ts';
import { searchPath } from '../executable.ts';
import { atPath, finding } from '../finding.ts';
import { dirname, isUnder, resolve } from '../tree.ts';

/** File systems that the runtime mounts: what links there point to is not in any layer. */
const mounted = ['/proc', '/sys', '/dev', '/run'];

const isOwned = (context: RuleContext, path: string): boolean =>
  context.profile.owned.some((directory) => isUnder(path, directory)) ||
  searchPath(context.env).includes(dirname(path));

/** Above the base, where the base is known and is what the image begins with. */
const isOwn = ({ base, baseLayers }: RuleContext, { layer }: Entry): boolean =>
  layer >= baseLayers && baseLayers >= (base?.config.rootfs.diff_ids.length ?? 0);

const dangling: RuleInfo = {
  id: 'contract/dangling-link',
  severity: 'error',
  section: '5',
  summary: 'Links lead somewhere.',
  remediation: 'Point the link at the file that is in the image, or remove it with what it pointed to.',
};

export const noDanglingLinks: Rule = {
  info: dangling,
  check(context) {
    const required = new Set(context.profile.paths.map(({ path }) => path));
    const findings: Finding[] = [];
    for (const [path, entry] of context.census.links) {
      if (!isOwn(context, entry)) continue;
      // A path that the contract names is the required-path rule's, which names the link too.
      if (required.has(path)) continue;
      const found = resolve(context.picture.tree, path);
      if (found.$case === 'found' || mounted.some((directory) => isUnder(found.at, directory))) continue;
      const why =
        found.$case === 'loop' ? 'is part of a loop' : found.$case === 'missing' ? 'does not exist' : 'is no directory';
      const message = `${path} is a link to ${entry.link ?? ''}; ${found.at} ${why}`;
      // Distributions split documentation and locales from programs and leave links behind: no harm there.
      const more = isOwned(context, path) ? {} : ({ severity: 'note' } as const);
      findings.push(finding(dangling, path, message, atPath(context, path), more));
    }
    return findings;
  },
};

const through: RuleInfo = {
  id: 'contract/write-through-link',
  severity: 'error',
  section: '5',
  summary: "No later layer overwrites a file through another layer's link.",
  remediation:
    'Copy to a path of its own, or remove the link in the same instruction: COPY follows links and replaces what they point to.',
};

/** A path was written where a lower layer has a link: the link, or a parent of the path. */
function overLink(context: RuleContext): Finding[] {
  const { picture } = context;
  return picture.overLinks.flatMap(({ path, link, layer }): Finding[] => {
    if (layer < context.baseLayers || picture.tree.get(path)?.type === 'symlink') return [];
    const what = path === link ? `replaced the link ${link}` : `wrote ${path} through the link ${link}`;
    const message = `no layer may write over another layer's link; layer ${layer} ${what}`;
    return [finding(through, path, message, { $case: 'path', path, layer: layerOrigin(picture, layer) })];
  });
}

/**
 * COPY onto a link leaves no trace of the link in the new layer: it holds the target's path. Seen
 * from the layers, a program that a command's link points to was replaced by a later one.
 */
function overTarget(context: RuleContext): Finding[] {
  const { tree } = context.picture;
  const replaced = new Map(
    context.picture.shadowed
      .filter(
        ({ path, by }) => by >= context.baseLayers && tree.get(path)?.type === 'file' && tree.get(path)?.layer === by,
      )
      .map((item) => [item.path, item]),
  );
  if (replaced.size === 0) return [];
  const findings: Finding[] = [];
  for (const [path, entry] of context.census.links) {
    if (!isOwned(context, path)) continue;
    const found = resolve(tree, path);
    const victim = found.$case === 'found' ? replaced.get(found.path) : undefined;
    if (victim === undefined || entry.layer >= victim.by) continue;
    const message = `no layer may write over another layer's link; layer ${victim.by} replaced ${victim.path}, which the older link ${path} leads to`;
    const layer = layerOrigin(context.picture, victim.by);
    findings.push(finding(through, victim.path, message, { $case: 'path', path: victim.path, layer }));
  }
  return findings;
}

export const noWriteThroughLink: Rule = {
  info: through,
  check: (context) => [...overLink(context), ...overTarget(context)],
};
