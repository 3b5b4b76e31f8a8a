const cache = new Map<string, RegExp>();

function compile(glob: string): RegExp {
  const source = glob.replace(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\]/g, (token) => {
    if (token === '**/') return '(?:.*/)?';
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    return `\\${token}`;
  });
  return new RegExp(`^${source}$`, 's');
}

/** matchesGlob: `*` and `?` stay inside one path component, `**` crosses them. */
export function matchesGlob(glob: string, text: string): boolean {
  const known = cache.get(glob) ?? compile(glob);
  cache.set(glob, known);
  return known.test(text);
}

export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}
