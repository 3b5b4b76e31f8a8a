import { Minimatch } from 'minimatch';

const options = { dot: true, nobrace: true, noext: true, nonegate: true, nocomment: true };
const compiled = new Map<string, Minimatch>();

function compile(glob: string): Minimatch {
  // Brackets and backslashes stand for themselves: paths of Node packages hold them (`pages/[id].js`).
  const pattern = new Minimatch(glob.replace(/[[\]\\]/g, '\\$&'), options);
  compiled.set(glob, pattern);
  return pattern;
}

/** matchesGlob: `*` and `?` stay inside one path component, a component `**` stands for any number of them. */
export function matchesGlob(glob: string, text: string): boolean {
  return (compiled.get(glob) ?? compile(glob)).match(text);
}

/** isGlob returns whether the text holds a wildcard. */
export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}
