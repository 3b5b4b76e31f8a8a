import { shorten, sourcesOf, texts, type Lint, type LintScript, type Problem, type Rule } from '../rule.ts';
import { workdirOf } from '../scope.ts';
import { directoriesOf, samePath } from '../shell/directory.ts';
import { downloadsOf, isRemote, type Download } from '../shell/downloads.ts';
import { checksOf, isCommittedIn, type Check } from './checksums.ts';
import { runUnseen } from './shell-pipes.ts';
import { signatureFile, signaturesOf, type Signature } from './signatures.ts';

const basename = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** A list of checksums, which is compared and never run. */
const sumFile = /(?:sha\d*sums?|checksums?)(?:[._-][\w.-]*)?$|\.(?:sha(?:1|256|512)(?:sum)?|md5)$/i;
/** Commands that do nothing with a file's bytes but compare, move or mark them. */
const leavesBytes = new Set(
  'echo printf grep egrep fgrep test [ [[ ls stat file wc rm mkdir touch chmod chown chgrp mv gpg gpg2 gpgv cosign minisign curl wget sha1sum sha256sum sha384sum sha512sum shasum b2sum md5sum openssl set cd export'.split(
    ' ',
  ),
);

/** A committed list by a name of its own has to share a word with what it is used for: others say nothing of the file. */
function isRelated(list: string, { url, file = '' }: Download): boolean {
  const words =
    basename(list)
      .replace(/\$\{?\w+\}?/g, '')
      .toLowerCase()
      .match(/[a-z]{2,}/g) ?? [];
  const own = words.filter(
    (word) => !/^(?:sha|sums?|shasums?|md|txt|checksums?|hash(?:es)?|list|linux|amd|arm|x|asc)$/.test(word),
  );
  const of = `${url} ${file}`.toLowerCase();
  return own.length === 0 || own.some((word) => of.includes(word));
}

/** What one RUN fetches, and what it holds that against. */
class Verification {
  private readonly run: LintScript;
  private readonly directories: readonly (string | undefined)[];
  private readonly signatures: readonly Signature[];
  readonly checks: readonly Check[];
  readonly downloads: readonly Download[];

  constructor(lint: Lint, run: LintScript) {
    this.run = run;
    this.downloads = downloadsOf(run.flat);
    const isIdle = this.downloads.length === 0;
    const start = run.stage === undefined ? '/' : workdirOf(lint.model, run.stage, run.instruction);
    this.directories = isIdle ? [] : directoriesOf(run.flat.commands, start);
    this.signatures = isIdle ? [] : signaturesOf(lint, run, isCommittedIn(lint, run));
    this.checks = isIdle ? [] : checksOf(lint, run);
  }

  /** A signature, or a list of checksums: it says something of another download, which has the finding. */
  isCompanion({ url, file, index }: Download): boolean {
    const name = basename(file ?? url.replace(/[?#].*$/, ''));
    const others = this.downloads.filter((one) => one.index !== index || one.url !== url);
    if (signatureFile.test(name))
      return (
        others.some((one) => one.file !== undefined && basename(one.file) === name.replace(signatureFile, '')) ||
        others.some((one) => one.url === url.replace(signatureFile, ''))
      );
    return (
      sumFile.test(name) &&
      others.some((one) => !sumFile.test(basename(one.file ?? one.url)) && !signatureFile.test(one.url))
    );
  }

  /** The first command that takes the file's bytes for something, behind its download. */
  private usedAt({ file, index }: Download): number {
    if (file === undefined) return Infinity;
    const name = basename(file);
    const at = this.run.flat.commands.findIndex(
      (one, i) =>
        i > index &&
        (one.name === name || (!leavesBytes.has(one.name) && texts(one.args).some((text) => basename(text) === name))),
    );
    return at < 0 ? Infinity : at;
  }

  private isSame(a: string, aIndex: number, b: string, bIndex: number): boolean {
    return samePath(a, this.directories[aIndex], b, this.directories[bIndex]);
  }

  private isSigned(file: string, index: number, before: number): boolean {
    return this.signatures.some(
      (one) =>
        one.stops &&
        one.index >= index &&
        one.index < before &&
        one.files.some((each) => this.isSame(each, one.index, file, index)),
    );
  }

  private covers(check: Check, download: Download): boolean {
    const { file, index } = download;
    if (check.index < index || !check.stops) return false;
    const lists = check.lists.length > 0 ? check.lists : [];
    // A list from the network counts when it is signed by a key that is named.
    const isSigned =
      check.source === 'network' && lists.length > 0 && lists.every((list) => this.isSigned(list, 0, check.index));
    if (!isSigned && (check.source === 'network' || check.source === 'unknown')) return false;
    if (file === undefined) return !download.piped;
    if (check.files.length > 0)
      return check.files.some((name) => name === '-' || this.isSame(name, check.index, file, index));
    return isSigned || check.source !== 'committed' || lists.every((list) => isRelated(list, download));
  }

  /** Why the download is not verified; undefined when it is. */
  problem(download: Download): string | undefined {
    const { file, index } = download;
    const used = this.usedAt(download);
    if (file !== undefined && this.isSigned(file, index, used)) return undefined;
    const covering = this.checks.filter((check) => this.covers(check, download));
    if (covering.some((check) => check.index < used)) return undefined;
    if (covering.length > 0) return `a check behind the use of ${shorten(file ?? '', 40)}`;
    const later = this.checks.filter((check) => check.index >= index);
    if (later.some((check) => check.source === 'network'))
      return 'a check against a list that came from the network, too';
    if (later.some((check) => !check.stops)) return 'a check whose failure does not stop the RUN';
    if (later.some((check) => check.source === 'unknown'))
      return 'a check whose checksum is neither written out nor committed';
    if (download.piped && file === undefined) return 'its output goes on unchecked';
    if (later.length === 0) return 'no check in the same RUN';
    const names = later.flatMap((check) => [...check.files, ...check.lists]);
    return `checks of other files only (${shorten(names.join(', '), 60)})`;
  }
}

function* unverified(lint: Lint, run: LintScript): Generator<Problem> {
  const verification = new Verification(lint, run);
  const unseen = runUnseen(run);
  for (const download of verification.downloads) {
    if (download.discarded || unseen.has(download.offset) || verification.isCompanion(download)) continue;
    const found = verification.problem(download);
    if (found === undefined) continue;
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
      'Every download is checked in the same RUN, before it is used, against a checksum that is written out or committed, or a signature by a key or identity that is named; the RUN ends when that fails. A list fetched from the network does not count unless it is signed so.',
    remediation:
      'add `echo "<sha256>  <file>" | sha256sum -c -` behind the download and `set -e` before it, with one checksum per architecture, or check a committed list',
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
