import type { Finding, RuleInfo } from '../../core/index.ts';
import type { Rule, RuleContext } from '../context.ts';
import { executableAt } from '../executable.ts';
import { finding } from '../finding.ts';
import { isGlob } from '../glob.ts';
import { basename } from '../tree.ts';
import { readPolicy } from './read.ts';

const info: RuleInfo = {
  id: 'contract/policy-binary',
  severity: 'error',
  section: '4',
  summary: 'Every path under `binaries` is what /proc/<pid>/exe will show.',
  remediation:
    'Name the real executable. For a script that is its interpreter, which then holds for every script of that language.',
};

/** Why a process started from this path does not show it as its executable; undefined when it does. */
function whyNever(context: RuleContext, path: string): string | undefined {
  const what = executableAt(context.picture, path, context.env);
  switch (what.$case) {
    case 'missing':
      return `${what.at} does not exist in the image`;
    case 'not-executable':
      return `${what.path} cannot be executed: ${what.why}`;
    case 'script': {
      const line = what.shebang === undefined ? '' : ` (${what.shebang.slice(0, 80)})`;
      const shows = what.exe === undefined ? 'its interpreter' : what.exe;
      return `${what.path} is a script${line}: /proc/<pid>/exe shows ${shows}`;
    }
    case 'binary':
      return what.path === path ? undefined : `it is reached through a link: /proc/<pid>/exe shows ${what.path}`;
  }
}

function whyGlobNever(context: RuleContext, glob: string): string | undefined {
  const candidates = context.census.matched.get(glob) ?? [];
  if (candidates.length === 0) return 'the glob matches nothing in the image';
  const reasons = candidates.map((path) => [path, whyNever(context, path)] as const);
  if (reasons.some(([, why]) => why === undefined)) return undefined;
  const [first] = reasons;
  return `none of the ${candidates.length} paths that the glob matches is an executable itself; ${first === undefined ? '' : `${basename(first[0])}: ${first[1] ?? ''}`}`;
}

export const policyBinaries: Rule = {
  info,
  check(context): Finding[] {
    if (context.policy === undefined) return [];
    const { policy, at } = readPolicy(context.policy);
    return Object.entries(policy?.network_policies ?? {}).flatMap(([name, entry]) =>
      (entry.binaries ?? []).flatMap(({ path }, index): Finding[] => {
        const why = isGlob(path) ? whyGlobNever(context, path) : whyNever(context, path);
        if (why === undefined) return [];
        const message = `${name} allows ${path}, which must be an executable of the image; ${why}`;
        return [finding(info, path, message, at(['network_policies', name, 'binaries', index, 'path']))];
      }),
    );
  },
};
