import { ruleInfos } from '../contract/index.ts';
import type { RuleInfo } from '../core/index.ts';
import { lintRules } from '../lint/index.ts';
import { probeRules } from '../probe/index.ts';

/** What the section numbers stand for, in the order in which the page shows them. */
const sections: readonly (readonly [section: string, meaning: string])[] = [
  [
    '3.1',
    'The runner speaks AG-UI over HTTP on `AGUI_PORT`, 8001 by default: `/`, `/interrupt`, `/health`, `/capabilities` and the event streams answer as the base image’s do.',
  ],
  [
    '3.2',
    'Python 3.12 or newer runs the runner, `ambient_runner` is importable, and uvicorn uses the base’s minor version of Python.',
  ],
  [
    '3.3',
    'The directories that the platform mounts, writes to and starts from are where the profile says: home, application, workspace, `/tmp`.',
  ],
  [
    '3.4',
    'The image starts as the base does: same entrypoint and command, healthy in time, and SIGTERM ends it in time.',
  ],
  ['3.5', 'Variables that the control plane injects are not set by the image; the few that programs rely on are kept.'],
  ['3.6', 'It runs as a user other than root, and as any UID of group 0, which is what OpenShift picks.'],
  [
    '3.7',
    'The bridge of every supported `RUNNER_TYPE` is there and loads; an unknown type ends the runner with a message that names the module.',
  ],
  [
    '3.8',
    'No layer holds a credential, also not one that a later layer deletes, and no program gains privileges that the base did not bring.',
  ],
  [
    '3.9',
    'The image is made from the published base, by digest, and that can be proved. What is accepted in spite of a rule is a waiver with an owner and an end.',
  ],
  [
    '3.10',
    'A refusal says which requirement is broken, where, and what to do: the reports of `check`, in all formats.',
  ],
  [
    '3.11',
    'The published base says which version of the contract it keeps. Another version is advice, unless `--strict-version` asks for more.',
  ],
  [
    '3.12',
    'A reference to a runner image names its registry and is a tag or a digest; the allowlist compares host names. Labels say what an image is.',
  ],
  [
    '4',
    'What lies in the image works as the platform uses it: policy.yaml names programs, paths and users that are there, in keys that the supervisor knows.',
  ],
  [
    '5',
    'What reviews asked of the images: no link that leads nowhere or is written through, no bytes shipped twice, no label that misdescribes.',
  ],
  ['6', 'What a release promises: every platform is the same image, of a size that nodes can pull.'],
  [
    'D0',
    'The Dockerfile and the shell code in it can be read whole, and what it excuses is excused by name and reason.',
  ],
  [
    'D1',
    'Images and frontends are named by tag and digest, so that people read a version and engines get those bytes.',
  ],
  [
    'D2',
    'A download is held against a checksum that is committed, for each architecture, and is never piped into a shell.',
  ],
  [
    'D3',
    'Packages come from the distribution’s repositories or from a lock with integrity; nothing upgrades what the base brought.',
  ],
  ['D4', 'The architecture is `TARGETARCH`, and an unknown one fails with a message.'],
  ['D5', 'Arguments and labels are consumed, and no build argument overrides a pin unnoticed.'],
  [
    'D6',
    'Layers are small and hold what they seem to: no late recursive chmod, no copy of everything, no write through a link.',
  ],
  ['D7', 'A shell pipeline that fails in the middle fails the build.'],
  ['D8', 'The image does not end as root, and no secret is in arguments, variables, labels or layers.'],
];

const rooms: readonly (readonly [prefix: string, title: string, intro: string])[] = [
  ['contract', 'The image: `runner-image check`', 'Read from config and layers, without starting anything.'],
  ['probe', 'The running image: `runner-image check --run`', 'Asked of a started container, on every platform.'],
  ['dockerfile', 'Dockerfiles: `runner-image lint`', 'Any Dockerfile, not only this project’s.'],
];

const order = (section = ''): number => sections.findIndex(([name]) => name === section);
const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
const sentence = (text: string): string => cell(text).replace(/[.]?$/, '.');

function table(rules: readonly RuleInfo[]): string[] {
  const sorted = [...rules].sort((a, b) => order(a.section) - order(b.section));
  return [
    '| rule | weight | § | what holds | what to do when it does not |',
    '|---|---|---|---|---|',
    ...sorted.map(
      ({ id, severity, section, summary, remediation }) =>
        `| \`${id}\` | ${severity} | ${section ?? ''} | ${sentence(summary)} | ${sentence(remediation)} |`,
    ),
  ];
}

/**
 * rulesPage writes docs/rules.md from the rule tables. Throws TypeError for a rule of a section that the
 * page does not explain, or of a room that it does not show: a rule without documentation is a defect.
 */
export function rulesPage(rules: readonly RuleInfo[]): string {
  const known = new Set(rooms.map(([prefix]) => prefix));
  for (const { id, section } of rules) {
    if (order(section) < 0) throw new TypeError(`${id}: docs/rules.md does not explain section ${section ?? 'none'}`);
    if (!known.has(id.split('/')[0] ?? '')) throw new TypeError(`${id}: docs/rules.md has no place for it`);
  }
  const lines = [
    '<!-- Generated by `runner-image generate` from the rule tables. -->',
    '# The rules',
    '',
    `All ${rules.length} rules, by what they look at. An error makes a command exit with 1; a warning or a note does not.`,
    'A waiver names a rule of an image by its id (docs/custom-images.md); in a Dockerfile, a comment before the',
    'instruction does: `# lint: ignore rule -- reason`. The same texts are in the reports: SARIF, JSON, JUnit, Markdown.',
    '',
    '## What the sections stand for',
    '',
    '3.1 to 3.12 are the requirements of the runner-image contract, version 1; 4 to 6 what the platform, reviews',
    'and releases ask beyond it; D0 to D8 the supply-chain rules of Dockerfiles.',
    '',
    '| § | asks that |',
    '|---|---|',
    ...sections.map(([section, meaning]) => `| ${section} | ${cell(meaning)} |`),
  ];
  for (const [prefix, title, intro] of rooms) {
    const own = rules.filter(({ id }) => id.startsWith(`${prefix}/`));
    lines.push('', `## ${title}`, '', `${intro} ${own.length} rules.`, '', ...table(own));
  }
  return `${lines.join('\n')}\n`;
}

export const allRules: readonly RuleInfo[] = [...ruleInfos, ...Object.values(probeRules), ...lintRules];
