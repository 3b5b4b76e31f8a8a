import type { Entry, Finding, PathSpec, RuleInfo } from '../../core/index.ts';
import type { Rule, RuleContext } from '../context.ts';
import { atPath, finding } from '../finding.ts';
import { describe, octal, resolve, type Resolved } from '../tree.ts';

const info: RuleInfo = {
  id: 'contract/required-path',
  severity: 'error',
  section: '3.3',
  summary: 'The paths that the platform counts on are there, of the right kind and mode.',
  remediation:
    'Create the path in the image as the contract describes it, and let no later instruction remove or move it.',
};

function missing(context: RuleContext, spec: PathSpec, found: Exclude<Resolved, { $case: 'found' }>): Finding {
  const link = found.links[0];
  const through = link === undefined ? '' : `, through the link ${link.path} → ${link.entry.link ?? ''}`;
  const removed = context.picture.shadowed.findLast(({ path }) => path === found.at);
  const by = removed === undefined ? '' : `; layer ${removed.by} removed it`;
  const why =
    found.$case === 'missing' ? 'does not exist' : found.$case === 'loop' ? 'is a loop of links' : 'is not a directory';
  const message = `${spec.path} must be a ${spec.kind}; ${found.at} ${why}${through}${by}`;
  return finding(info, spec.path, message, atPath(context, link?.path ?? spec.path));
}

function wrong(spec: PathSpec, entry: Entry): string | undefined {
  if (spec.kind !== 'any' && entry.type !== spec.kind) return `must be a ${spec.kind}; it is a ${entry.type}`;
  if (spec.mode !== undefined && octal(entry.mode) !== spec.mode.padStart(4, '0'))
    return `must have mode ${spec.mode.padStart(4, '0')}; it is ${describe(entry)} (${octal(entry.mode)})`;
  return undefined;
}

export const requiredPath: Rule = {
  info,
  check: (context) =>
    context.profile.paths.flatMap((spec): Finding[] => {
      const found = resolve(context.picture.tree, spec.path);
      if (found.$case === 'missing' && spec.optional === true && found.links.length === 0) return [];
      if (found.$case !== 'found') return [missing(context, spec, found)];
      const why = wrong(spec, found.entry);
      return why === undefined ? [] : [finding(info, spec.path, `${spec.path} ${why}`, atPath(context, found.path))];
    }),
};
