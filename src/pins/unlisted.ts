import type { Finding, Pin } from '../core/index.ts';
import { allInstructions, readDockerfile } from '../dockerfile/index.ts';
import { finding } from './finding.ts';

/** VariantText is one variant's rendered Dockerfile with the pins that it consumes. */
export interface VariantText {
  readonly variant: string;
  /** Relative to the project. */
  readonly dockerfile: string;
  readonly text: string;
  readonly pins: readonly Pin[];
}

/** What the pins of a variant allow a Dockerfile to name. */
function allowed(pins: readonly Pin[]) {
  const images = new Set<string>();
  const urls = new Set<string>();
  const packages = new Set<string>();
  const locks = new Set<string>();
  for (const pin of pins) {
    if (pin.kind === 'image') images.add(`${pin.repository}:${pin.version}@${pin.digest}`);
    if (pin.kind === 'git') urls.add(pin.repository);
    if (pin.kind === 'rpms') pin.packages.forEach((name) => packages.add(name));
    if (pin.kind === 'npm') locks.add(`npm/${pin.lock.split('/').at(-1) ?? ''}/package-lock.json`);
    if (pin.kind === 'release')
      for (const arch of ['amd64', 'arm64'])
        urls.add(pin.url.replaceAll('{version}', pin.version).replaceAll('{arch}', arch));
  }
  return { images, urls, packages, locks };
}

/** Commands that fetch by name, with whatever is served that day: no pin can stand behind them. */
const floating: readonly (readonly [RegExp, string])[] = [
  [/\bnpm\s+(?:install|i|add|exec|update)\b/, 'npm install'],
  [/\bnpx\s/, 'npx'],
  [/\bpip3?\s+(?:install|download)\b/, 'pip install'],
  [/\buv\s+(?:pip|tool|add|lock)\b/, 'uv pip, tool, add or lock'],
  [/\buvx\s/, 'uvx'],
  [/\bgo\s+(?:install|get)\b/, 'go install'],
  [
    /\b(?:dnf|yum|microdnf)\s+(?:-\S+\s+)*(?:upgrade|update|copr|config-manager)\b/,
    'dnf upgrade or another repository',
  ],
  [/\bgit\s+clone\b/, 'git clone'],
];

/** dnfPackages returns the words that `dnf install` takes as packages. */
function dnfPackages(run: string): readonly string[] {
  return [...run.matchAll(/\b(?:dnf|microdnf|yum)\s+install\b([^;&|]*)/g)].flatMap((match) =>
    (match[1] ?? '').split(/\s+/).filter((word) => word !== '' && !word.startsWith('-') && word !== '"$@"'),
  );
}

/** unlistedInputs finds what a Dockerfile takes from outside that none of its variant's pins explains. */
export function unlistedInputs(input: VariantText): readonly Finding[] {
  const { images, urls, packages, locks } = allowed(input.pins);
  const findings: Finding[] = [];
  const stages = new Set<string>();
  let hasLock = false;
  const report = (line: number, subject: string, message: string): void => {
    findings.push(
      finding(
        'unlisted-input',
        'error',
        subject,
        `${input.variant}: ${message}`,
        'give it an entry in images/pins.yaml and take the value from there',
        {
          file: input.dockerfile,
          line,
        },
      ),
    );
  };
  for (const { instruction } of allInstructions(readDockerfile(input.text))) {
    const { keyword, firstLine: line, written: text, flags } = instruction;
    const words = instruction.words.map((word) => word.text.value);
    if (keyword === 'FROM') {
      const [image = '', as, alias] = words;
      if (!stages.has(image) && !images.has(image) && image !== 'scratch')
        report(line, image, `FROM ${image} is no pin`);
      if (as?.toUpperCase() === 'AS' && alias !== undefined) stages.add(alias);
      hasLock = false;
      continue;
    }
    if (keyword === 'ADD') report(line, words.join(' '), 'ADD may fetch; COPY and a checked download do not');
    if (keyword === 'COPY') {
      const from = flags.find(({ name }) => name === 'from')?.value.text.value;
      if (from !== undefined && !stages.has(from) && !images.has(from))
        report(line, from, `COPY --from=${from} is no pin`);
      if (words.some((word) => locks.has(word))) hasLock = true;
    }
    if (keyword === 'LABEL') continue;
    for (const [url] of text.matchAll(/\b(?:https?|git|ssh|ftp):\/\/[^\s'"`;)]+/g))
      if (!urls.has(url)) report(line, url, `${url} is no pin`);
    if (keyword !== 'RUN') continue;
    for (const [pattern, name] of floating)
      if (pattern.test(text)) report(line, name, `${name} takes what is served that day`);
    for (const name of dnfPackages(text)) if (!packages.has(name)) report(line, name, `package ${name} is in no pin`);
    if (/\bnpm\s+ci\b/.test(text) && !hasLock) report(line, 'npm ci', 'npm ci without a pinned lock in its stage');
  }
  return findings;
}
