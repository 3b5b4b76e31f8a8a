import type { Finding, Location, RuleInfo } from '../core/index.ts';
import { blame, layerOrigin } from './blame.ts';
import type { RuleContext } from './context.ts';

/** finding fills in what the rule's description already says. */
export function finding(
  info: RuleInfo,
  subject: string,
  message: string,
  location: Location,
  more: Partial<Pick<Finding, 'severity' | 'remediation'>> = {},
): Finding {
  return {
    rule: info.id,
    severity: more.severity ?? info.severity,
    message,
    subject,
    remediation: more.remediation ?? info.remediation,
    location,
    section: info.section,
  };
}

/** atPath points to a path and to the layer that last wrote it, or to none when it is absent. */
export function atPath({ picture }: RuleContext, path: string): Location {
  const entry = picture.tree.get(path);
  return { $case: 'path', path, layer: entry === undefined ? undefined : layerOrigin(picture, entry.layer) };
}

/** atConfig points to a member of the config and to the instruction that set it, where the history says so. */
export function atConfig({ picture }: RuleContext, key: string, keyword?: string, name?: string): Location {
  const layer = keyword === undefined ? undefined : blame(picture, keyword, name);
  return { $case: 'config', key, layer };
}
