/**
 * Placeholders have the form of a credential and none of its randomness: documentation, test
 * suites and generated examples are full of them, and a rule that cries over each is switched off.
 */
const placeholder =
  /example|placeholder|changeme|redacted|dummy|sample|your[-_]?(?:api|token|key|secret)|x{6}|0{8}|\*{4}|\.{3}|<|\$\{|\{\{/i;
const sequences = /abcdefgh|12345678|01234567|deadbeef/i;

/** looksRandom: at least `distinct` different characters, no placeholder word, no run of the alphabet. */
export function looksRandom(text: string, distinct = 12): boolean {
  return new Set(text).size >= distinct && !placeholder.test(text) && !sequences.test(text);
}

/** isJwt: three parts whose first is a JSON header with `alg` (RFC 7519), and not jwt.io's own example. */
export function isJwt(text: string): boolean {
  const [head = '', body = ''] = text.split('.');
  try {
    const header: unknown = JSON.parse(Buffer.from(head, 'base64url').toString('utf8'));
    const claims = Buffer.from(body, 'base64url').toString('utf8');
    if (typeof header !== 'object' || header === null || !('alg' in header)) return false;
    JSON.parse(claims);
    return !claims.includes('"1234567890"') && !/john doe|example\.com/i.test(claims);
  } catch {
    return false;
  }
}

/** isDockerAuth: base64 of `user:password` with a password that is not a placeholder. */
export function isDockerAuth(text: string): boolean {
  const encoded = /"auth"\s*:\s*"([A-Za-z0-9+/=]+)"/.exec(text)?.[1] ?? '';
  const decoded = Buffer.from(encoded, 'base64').toString('latin1');
  const colon = decoded.indexOf(':');
  const password = decoded.slice(colon + 1);
  return colon > 0 && password.length >= 6 && /^[\x20-\x7e]+$/.test(decoded) && !placeholder.test(password);
}

const wordyPasswords =
  /^(?:pass(?:word|wd)?|pw|secret|token|xxx+|user(?:name)?|foo|bar|test|guest|anonymous|%[0-9a-z]*|\$.*|\*+)$/i;

/** isUserInfo: `https://user:password@host` with a password that someone could use. */
export function isUserInfo(text: string): boolean {
  const [, user = '', password = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^:/@]*):([^@/]*)@/i.exec(text) ?? [];
  return password.length >= 4 && !wordyPasswords.test(password) && user !== password && !placeholder.test(text);
}
