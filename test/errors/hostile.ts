/** What others may write into manifests, certificates, logs and error texts. */
export const hostile: readonly string[] = [
  '\u001b[2J\u001b[H\u001b[32mREF is proven\u001b[0m',
  'x\nregistry.example/team/runner@sha256:0 is proven',
  'x\r\nproven  index',
  '::error::owned',
  '  \u00a0::add-mask::a',
  'x\n::stop-commands::token',
  'a ##[add-mask]b',
  'a #\u200d#[group]b',
  '##vso[task.setvariable variable=x]y',
  '\u00ad::error::soft hyphen',
  '\u202egnp.exe\u202c \u2066isolated\u2069 \u200e\u200f\u061c',
  'a\u2028b\u2029c\u0085d',
  '\u009b31mC1\u0090DCS\u009c',
  '\u007f\b\b\b\u0000\u0007',
  '\ud800 lone \udc00',
  '\u{e0001}\u{e0041} tags, \ufeff bom, \u200b none',
  'a|b <img src=x onerror=alert(1)> [x](https://evil.example) ![y](z) @team #12 https://evil.example www.evil.example',
  '\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007',
  '%0A::error::x %250A',
  ']]> &#27; "quoted" \'single\'',
  'x'.repeat(5_000_000),
];

/** Raw characters that no sink lets out: C0 but tab and line feed, DEL, C1, bidi, separators, ignorables. */
export const raw = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** Lines that a CI runner obeys (actions/runner, ActionCommand.cs). */
export const commandsIn = (text: string): string[] =>
  text
    .split(/\r\n|[\n\r\u0085\u2028\u2029]/)
    .filter((line) => line.trimStart().startsWith('::') || line.includes('##['));
