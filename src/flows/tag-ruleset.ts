import * as z from 'zod';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { askGitHub } from './ci/github.ts';

const list = z.array(z.object({ id: z.number().int(), target: z.string().optional(), enforcement: z.string() }));
const ruleset = z.object({
  name: z.string(),
  enforcement: z.string(),
  conditions: z
    .object({ ref_name: z.object({ include: z.array(z.string()), exclude: z.array(z.string()) }) })
    .nullish(),
  rules: z.array(z.object({ type: z.string() })).nullish(),
});
type Ruleset = z.infer<typeof ruleset>;

/** Who may not create, move and delete a release tag is everyone whom the ruleset does not name. */
const needed = ['creation', 'update', 'deletion'] as const;
/** GitHub lists up to a hundred at a time. */
const most = 100;

/** SettingReport is what GitHub says of one setting; `unknown` is never good news. */
export interface SettingReport {
  readonly subject: string;
  readonly state: 'ok' | 'lacking' | 'unknown';
  readonly found: string;
  readonly mend?: string | undefined;
}

const subject = 'release tags';
const mend =
  'Settings → Rules → New tag ruleset: target v*, restrict creations, updates and deletions, with the release managers as bypass (docs/workflows.md)';

const covers = ({ conditions }: Ruleset): boolean => {
  const { include = [], exclude = [] } = conditions?.ref_name ?? {};
  return (
    exclude.length === 0 && include.some((ref) => ['~ALL', 'refs/tags/v*', 'refs/tags/*', 'refs/tags/**'].includes(ref))
  );
};

/** judgeRulesets returns what of `needed` no active ruleset for v* restricts. */
export function judgeRulesets(rulesets: readonly Ruleset[]): readonly string[] {
  const active = rulesets.filter((one) => one.enforcement === 'active' && covers(one));
  const restricted = new Set(active.flatMap(({ rules }) => (rules ?? []).map(({ type }) => type)));
  return needed.filter((type) => !restricted.has(type));
}

/**
 * checkTagRuleset asks GitHub whether a ruleset says who may push tags v*: a tag runs its own commit's workflows, with
 * the environment's secrets (GITHUB_REPOSITORY, GITHUB_TOKEN). What GitHub does not answer is `unknown`.
 */
export async function checkTagRuleset(host: Host): Promise<SettingReport> {
  const env = { GITHUB_API_URL: 'https://api.github.com', ...host.env };
  const ask = <T>(schema: z.ZodType<T>, path: string): Promise<T> =>
    askGitHub({ ...host, env }, schema, { method: 'GET', path, permission: 'metadata: read' });
  try {
    const found = await ask(list, `/rulesets?includes_parents=true&targets=tag&per_page=${most}`);
    if (found.length >= most) return { subject, state: 'unknown', found: `more than ${most - 1} rulesets` };
    const active = found.filter(({ enforcement, target = 'tag' }) => enforcement === 'active' && target === 'tag');
    const rulesets: Ruleset[] = [];
    for (const { id } of active) rulesets.push(await ask(ruleset, `/rulesets/${id}`));
    const missing = judgeRulesets(rulesets);
    if (missing.length === 0)
      return { subject, state: 'ok', found: 'a ruleset restricts who creates, moves and deletes v*' };
    return { subject, state: 'lacking', found: `nothing restricts ${missing.join(', ')} of tags v*`, mend };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { message, facts } = error;
    return { subject, state: 'unknown', found: message, mend: facts.expected ?? facts.hint };
  }
}
