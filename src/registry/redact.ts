/** Query keys that carry no secret; every other value of a URL is hidden. */
const harmless = new Set(['digest', 'mount', 'from', 'n', 'last', 'service', 'scope', 'artifactType']);

/** redactUrl hides user information and the query values that could sign or authorise anything. */
export function redactUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return text.replace(/\?.*/s, '?…');
  }
  const query = [...url.searchParams].map(([key, value]) => `${key}=${harmless.has(key) ? value : '…'}`);
  const opaque = !url.href.startsWith(`${url.protocol}//`);
  // What follows `data:` is content. Only web addresses have an origin; of a file it would be the word "null".
  if (opaque) return `${url.protocol}…`;
  const place = `${url.protocol}//${url.host}`;
  return `${place}${url.pathname}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}

/** Assignments that give themselves away, in query strings and in quoted JSON. */
const assigned =
  /([\w-]*(?:signature|\bsig|token|secret|password|credential|accesskeyid))(["']?\s*(?:=|["']:)\s*["']?)[^\s&"',;]+/gi;
const control = /[\u0000-\u0008\u000b-\u001f\u007f\u009b]/g;

/**
 * Secrets remembers what must never be shown. Foreign text (error bodies, a helper's stderr, the
 * messages of socket errors) goes through `scrub` before it enters an error or a log.
 */
export class Secrets {
  readonly #known = new Set<string>();

  remember(...secrets: readonly (string | undefined)[]): void {
    // Shorter ones would blank ordinary words, and are no secret worth the name.
    for (const secret of secrets) if (secret !== undefined && secret.length >= 4) this.#known.add(secret);
  }

  scrub(text: string, limit = 300): string {
    let clean = text;
    for (const secret of this.#known) clean = clean.replaceAll(secret, '[redacted]');
    clean = clean
      .replaceAll(/https?:\/\/[^\s"'<>]+/g, (url) => redactUrl(url))
      .replaceAll(/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, '$1 [redacted]')
      .replaceAll(assigned, '$1$2…')
      .replaceAll(control, '')
      .replaceAll(/\s+/g, ' ')
      .trim();
    return clean.length > limit ? `${clean.slice(0, limit)}…` : clean;
  }
}
