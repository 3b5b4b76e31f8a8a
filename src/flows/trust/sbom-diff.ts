import type { ImagePlatform } from '../../core/index.ts';
import { markdownText } from '../../errors/index.ts';
import { table } from '../../report/index.ts';
import { diffPackages, type SbomChange } from '../../sbom/index.ts';
import type { PlatformPackages } from './packages.ts';

export type PlatformChange = SbomChange & {
  /** Where it is so. */
  readonly platforms: readonly ImagePlatform[];
};

export interface SbomDiff {
  readonly before: string;
  readonly after: string;
  /** Compared: those that both images have. */
  readonly platforms: readonly ImagePlatform[];
  /** Platforms that one of them lacks; they are not compared. */
  readonly uncompared: readonly { readonly platform: ImagePlatform; readonly only: 'before' | 'after' }[];
  readonly counts: Readonly<Record<SbomChange['$case'], number>>;
  readonly changes: readonly PlatformChange[];
}

/** The same change on several platforms is reported once. */
function merged(perPlatform: readonly (readonly [ImagePlatform, readonly SbomChange[]])[]): PlatformChange[] {
  const found = new Map<string, PlatformChange>();
  for (const [platform, changes] of perPlatform) {
    for (const change of changes) {
      const key = JSON.stringify([change.subject, change.$case, change.from, change.to]);
      found.set(key, { ...change, platforms: [...(found.get(key)?.platforms ?? []), platform] });
    }
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
}

/** compareInventories holds what two images declare against each other, platform by platform. */
export function compareInventories(
  names: { readonly before: string; readonly after: string },
  old: readonly PlatformPackages[],
  fresh: readonly PlatformPackages[],
): SbomDiff {
  const [left, right] = [old, fresh].map((all) => new Map(all.map((one) => [one.picture.platform, one.packages])));
  const inBoth = [...(left ?? [])].flatMap(([platform, packages]) => {
    const other = right?.get(platform);
    return other === undefined ? [] : [[platform, diffPackages(packages, other)] as const];
  });
  const lonely = (mine: typeof left, theirs: typeof right, only: 'before' | 'after') =>
    [...(mine?.keys() ?? [])]
      .filter((platform) => theirs?.has(platform) !== true)
      .map((platform) => ({ platform, only }));
  const changes = merged(inBoth);
  const count = ($case: SbomChange['$case']) => changes.filter((change) => change.$case === $case).length;
  return {
    ...names,
    platforms: inBoth.map(([platform]) => platform),
    uncompared: [...lonely(left, right, 'before'), ...lonely(right, left, 'after')],
    counts: { added: count('added'), removed: count('removed'), changed: count('changed') },
    changes,
  };
}

/** isSame: nothing came, went or changed, and there was nothing that could not be compared. */
export const isSame = ({ changes, uncompared }: SbomDiff): boolean => changes.length === 0 && uncompared.length === 0;

function headline({ counts, platforms, uncompared }: SbomDiff): string {
  const alone = uncompared.map(({ platform, only }) => `; ${platform} is only in the ${only} image`).join('');
  const on = platforms.length === 0 ? 'no platform is in both' : platforms.join(' and ');
  return `${counts.added} added, ${counts.removed} removed, ${counts.changed} changed (${on}${alone})`;
}

const cells = (diff: SbomDiff, { $case, subject, from, to, platforms }: PlatformChange): string[] => [
  $case,
  subject,
  from ?? '',
  to ?? '',
  platforms.length === diff.platforms.length ? 'every' : platforms.join(', '),
];

export function formatSbomDiff(diff: SbomDiff, format: 'table' | 'markdown'): string {
  const rows = diff.changes.map((change) => cells(diff, change));
  if (format === 'table') return [headline(diff), ...(rows.length === 0 ? [] : [table(rows)])].join('\n');
  const head = ['', '| | Package | Before | After | Platform |', '|---|---|---|---|---|'];
  const lines = rows.map((row) => `| ${row.map(markdownText).join(' | ')} |`);
  return ['### Packages', '', `**${markdownText(headline(diff))}**`, ...(rows.length === 0 ? [] : head), ...lines].join(
    '\n',
  );
}
