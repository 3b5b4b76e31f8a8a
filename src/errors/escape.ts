/**
 * The one place that makes text from outside harmless where it is shown: what a registry, a certificate, a log, a tool or
 * a file says may hold anything. Formats add their own markup on top; every line that leaves the process passes `visible`
 * or `visibleText` (host/output.ts), no matter who wrote it.
 */

/** Control, format and ignorable characters, bidi overrides, line separators, lone surrogates: none shows as itself. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** The same without tab and line feed, for text of several lines. */
const unseenInText = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** The colours that our own formats paint with, and their end. */
const paint = /(\u001b\[(?:0|1|2|31|32|33|36)m)/;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** As JSON writes it, so that escaped JSON stays JSON with the same value. */
const unit = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`;
const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, at) => unit(character.charCodeAt(at))).join('');

/**
 * Workflow commands: GitHub's runner takes `::name::` after any leading blanks, and `##[name]` anywhere in a line
 * (actions/runner, ActionCommand.cs); Azure's agent takes `##vso[`. Still JSON where it was JSON.
 */
const withoutPrefixes = (line: string): string => line.replace(/##(?=\[|vso\[)/gi, '#\\u0023');
const inert = (line: string): string => withoutPrefixes(line).replace(/^(\s*):(?=:)/, '$1\\u003a');

/** shorten cuts a text to `max` UTF-16 units and says how many are left out. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const kept = text.slice(0, max).replace(/[\ud800-\udbff]$/, '');
  return `${kept}… (${text.length - kept.length} characters more)`;
}

/** visible returns one line, with everything that is not seen, or would break the line, escaped. */
export function visible(text: string, max = Infinity): string {
  return inert(shorten(text, max).replace(unseen, (character) => short[character] ?? escaped(character)));
}

/** How a text of several lines is meant: `painted` may hold our colours, `commands` our annotations for GitHub. */
export type TextKind = 'plain' | 'painted' | 'commands';

/** visibleText is `visible` for a text whose line breaks and tabs are meant; of what a runner obeys, only our `kind` stays. */
export function visibleText(text: string, kind: TextKind = 'plain'): string {
  if (kind === 'painted')
    return text
      .split(paint)
      .map((part, at) => (at % 2 === 1 ? part : visibleText(part)))
      .join('');
  const own = kind === 'commands' ? /^::(?:error|warning|notice) / : /(?!)/;
  const lines = text.replace(unseenInText, escaped).split('\n');
  return lines.map((line) => (own.test(line) ? withoutPrefixes(line) : inert(line))).join('\n');
}

/** commandData is the message of a workflow command: it ends at a line break, and `%` begins an escape. */
export const commandData = (text: string): string =>
  text
    .split('\n')
    .map((line) => visible(line))
    .join('\n')
    .replace(/%/g, '%25')
    .replace(/\n/g, '%0A');
/** commandProperty is a property's value, which ends at `,` and whose name ends at `:`. */
export const commandProperty = (text: string): string =>
  visible(text).replace(/%/g, '%25').replace(/:/g, '%3A').replace(/,/g, '%2C');

const markup: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  // GitHub looks for mentions and references in what is left after rendering: the blank of no width parts them.
  '@': '&#64;&#8203;',
  '#': '\\#&#8203;',
};

/** markdownText keeps text from being Markdown: tables, links, also bare ones, HTML, mentions, references to issues. */
export function markdownText(text: string): string {
  return visible(text)
    .replace(/[\\`*_{}[\]()+!|~]/g, '\\$&')
    .replace(/[&<>@#]/g, (character) => markup[character] ?? '')
    .replace(/:(?=\/\/)/g, ':&#8203;')
    .replace(/\bwww\./gi, '$&&#8203;');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
  '\t': '&#9;',
};

/** xmlText is for elements and attributes of XML 1.0, which has no way to write most control characters. */
export function xmlText(text: string): string {
  return visibleText(text)
    .replace(/[\ufffe\uffff]/g, escaped)
    .replace(/[&<>"'\n\t]/g, (character) => entities[character] ?? '');
}
