import { parsePlatform, type Plan } from '../src/core/index.ts';
import { listOption, type Call } from './command.ts';

/**
 * narrowed leaves the platforms that `--platform` names. What goes in stays the same, and so does its digest:
 * what was built tells for which platforms.
 */
export function narrowed(call: Call, plan: Plan): Plan {
  const platforms = listOption(call, 'platform');
  return platforms.length === 0 ? plan : { ...plan, platforms: platforms.map((text) => parsePlatform(text)) };
}
