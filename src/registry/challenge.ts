/** One challenge of a WWW-Authenticate header; parameter names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/;

/**
 * parseChallenges reads a WWW-Authenticate header, which may hold several challenges with commas
 * between them as well as inside them (RFC 9110, 11.6.1). Unreadable rests are ignored.
 */
export function parseChallenges(header: string): Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let rest = header.slice(0, 8192);
  for (;;) {
    rest = rest.replace(/^[\s,]+/, '');
    const word = token.exec(rest)?.[0];
    if (word === undefined) return found;
    rest = rest.slice(word.length);
    const assigned = /^\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/.exec(rest);
    const current = found.at(-1);
    if (assigned === null) {
      found.push({ scheme: word.toLowerCase(), parameters: new Map() });
      continue;
    }
    rest = rest.slice(assigned[0].length);
    const value = assigned[1]?.replaceAll(/\\(.)/g, '$1') ?? assigned[2] ?? '';
    current?.parameters.set(word.toLowerCase(), value);
  }
}
