import { shorten, sourcesOf, type Lint, type LintScript, type Problem, type Rule } from '../rule.ts';
import { downloadsOf, isRemote } from '../shell/downloads.ts';
import { checksOf, type Check } from './checksums.ts';

const basename = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The check covers the file when it names it, or when it reads a list that was committed. */
function covers(check: Check, file: string | undefined, offset: number): boolean {
  if (check.offset < offset || !check.stops || check.source === 'network' || check.source === 'unknown') return false;
  if (check.source === 'committed' || check.files.length === 0 || file === undefined) return true;
  return check.files.some((name) => basename(name) === basename(file) || name === '-');
}

function* unverified(lint: Lint, run: LintScript): Generator<Problem> {
  const checks = checksOf(lint, run);
  for (const download of downloadsOf(run.flat)) {
    if (download.discarded || checks.some((check) => covers(check, download.file, download.offset))) continue;
    const later = checks.filter((check) => check.offset >= download.offset);
    let found = download.piped ? 'its output goes on unchecked' : 'no check in the same RUN';
    if (later.some((check) => check.source === 'network'))
      found = 'a check against a list that came from the network, too';
    else if (later.some((check) => !check.stops)) found = 'a check whose failure does not stop the RUN';
    else if (later.some((check) => check.source === 'unknown'))
      found = 'a check whose checksum is neither written out nor committed';
    else if (later.length > 0)
      found = `checks of other files only (${shorten(later.flatMap((check) => check.files).join(', '), 60)})`;
    yield {
      offset: download.offset,
      subject: download.url,
      message: `${download.tool} fetches ${shorten(download.url)}: expected a literal checksum checked in the same RUN, found ${found}`,
    };
  }
}

export const unverifiedDownload: Rule = {
  info: {
    id: 'dockerfile/unverified-download',
    severity: 'error',
    section: 'D2',
    summary:
      'Every download is checked in the same RUN against a checksum that is written out or committed; a list fetched from the network does not count.',
    remediation:
      'add `echo "<sha256>  <file>" | sha256sum -c -` behind the download, with one checksum per architecture, or check a committed list',
  },
  *check(lint) {
    for (const run of lint.runs) yield* unverified(lint, run);
    for (const { word, instruction } of sourcesOf(lint.model, 'ADD')) {
      const url = word.text.value;
      const checksum = instruction.flags.find((flag) => flag.name === 'checksum')?.value.text.value ?? 'none';
      const isChecked = /^sha(?:256|384|512):[0-9a-f]{64,128}$/.test(checksum);
      if (isChecked || !isRemote(url) || /\.git(?:#|$)/.test(url)) continue;
      yield {
        offset: word.offset,
        subject: url,
        message: `ADD fetches ${shorten(url)}: expected --checksum=sha256:…, found ${checksum}`,
      };
    }
  },
};
