import type { Word } from './ast.ts';
import type { Flat, Flattened } from './flat.ts';

/** Download is one command that brings bytes from the network. */
export interface Download {
  readonly tool: string;
  readonly url: string;
  readonly offset: number;
  /** Among the commands of the script. */
  readonly index: number;
  /** File that receives the bytes, as it is written; undefined when it goes to stdout or is unknown. */
  readonly file: string | undefined;
  /** The bytes go down a pipe or into a substitution. */
  readonly piped: boolean;
  /** Nothing is kept: headers only, /dev/null, or this machine itself. */
  readonly discarded: boolean;
}

/** isRemote: http, https, ftp or git URLs. */
export function isRemote(text: string): boolean {
  return /^(?:https?|ftp|git|ssh):\/\//i.test(text) || /^git@/.test(text);
}

const loopback = /^https?:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=[:/]|$)/i;

/** Options of curl that take a value. */
export const curlValued = new Set(
  '-o --output -H --header -d --data --data-raw --data-binary -X --request -A --user-agent -u --user -e --referer --retry --retry-delay --retry-max-time --connect-timeout -m --max-time --cacert --capath -E --cert --key -x --proxy -w --write-out -b --cookie -c --cookie-jar -F --form --proto --proto-redir --tls-max --ciphers --resolve --max-redirs --limit-rate -K --config --output-dir -T --upload-file --noproxy -D --dump-header -C --continue-at -r --range --url'.split(
    ' ',
  ),
);
const wgetValued = new Set(
  '-O --output-document -o --output-file -P --directory-prefix -t --tries -T --timeout -U --user-agent --header -e --execute -i --input-file -w --wait -Q --quota -a --append-output --ca-certificate --user --password --post-data'.split(
    ' ',
  ),
);

interface Options {
  readonly values: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
  readonly rest: readonly string[];
}

/** options reads a command line well enough to keep operands and option values apart; short options may be bundled. */
export function options(args: readonly Word[], valued: ReadonlySet<string>): Options {
  const values = new Map<string, string>();
  const flags = new Set<string>();
  const rest: string[] = [];
  const texts = args.map((word) => word.value.value);
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i] ?? '';
    if (text.startsWith('--')) {
      const equals = text.indexOf('=');
      const name = equals < 0 ? text : text.slice(0, equals);
      if (equals >= 0) values.set(name, text.slice(equals + 1));
      else if (valued.has(name)) values.set(name, texts[++i] ?? '');
      flags.add(name);
    } else if (/^-./.test(text)) {
      for (let j = 1; j < text.length; j++) {
        const flag = `-${text.charAt(j)}`;
        flags.add(flag);
        if (!valued.has(flag)) continue;
        values.set(flag, j + 1 < text.length ? text.slice(j + 1) : (texts[++i] ?? ''));
        break;
      }
    } else rest.push(text);
  }
  return { values, flags, rest };
}

const lastPart = (url: string): string => url.replace(/[?#].*$/, '').replace(/^.*\//, '');

function outputRedirect(flat: Flat): string | undefined {
  return flat.command.redirects.find(({ operator }) => operator === '>' || operator === '>>' || operator === '>|')
    ?.target.value.value;
}

interface Transfer {
  readonly urls: readonly string[];
  readonly file: string | undefined;
  /** Without a `file`, each URL's last part names it. */
  readonly named: boolean;
  readonly head: boolean;
}

const inDirectory = (directory: string | undefined, file: string): string =>
  directory === undefined || file.startsWith('/') ? file : `${directory}/${file}`;

function curl(flat: Flat): Transfer {
  const { values, flags, rest } = options(flat.args, curlValued);
  const urls = [...rest, ...(values.has('--url') ? [values.get('--url') ?? ''] : [])];
  const output = values.get('-o') ?? values.get('--output');
  const named = flags.has('-O') || flags.has('--remote-name') || flags.has('--remote-name-all');
  const directory = values.get('--output-dir');
  let file = output === undefined ? outputRedirect(flat) : inDirectory(directory, output);
  if (file === undefined && named && urls.length === 1) file = inDirectory(directory, lastPart(urls[0] ?? ''));
  return { urls, file, named, head: flags.has('-I') || flags.has('--head') };
}

function wget(flat: Flat): Transfer {
  const { values, flags, rest } = options(flat.args, wgetValued);
  const output = values.get('-O') ?? values.get('--output-document');
  const directory = values.get('-P') ?? values.get('--directory-prefix');
  const file = output ?? (rest.length === 1 ? inDirectory(directory, lastPart(rest[0] ?? '')) : undefined);
  return {
    urls: rest,
    file: output === '-' ? outputRedirect(flat) : file,
    named: output === undefined,
    head: flags.has('--spider'),
  };
}

/** Package managers that take a package by URL check it, if at all, by a key that they do not know yet. */
function packageUrls(flat: Flat): string[] {
  if (!['dnf', 'yum', 'microdnf', 'rpm', 'apt', 'apt-get', 'zypper', 'apk', 'dpkg'].includes(flat.name)) return [];
  return flat.args.map((word) => word.value.value).filter((text) => isRemote(text));
}

/** downloadsOf finds curl, wget and packages installed by URL. Interpreters that open sockets themselves are not seen. */
export function downloadsOf(flat: Flattened): Download[] {
  const found: Download[] = [];
  for (const [index, one] of flat.commands.entries()) {
    const piped = one.substituted || one.piped;
    if (one.name === 'curl' || one.name === 'wget') {
      const { urls, file, head, named } = one.name === 'curl' ? curl(one) : wget(one);
      for (const url of urls) {
        const discarded = head || file === '/dev/null' || loopback.test(url);
        found.push({
          tool: one.name,
          url,
          offset: one.offset,
          index,
          file: file === '-' ? undefined : (file ?? (named ? lastPart(url) : undefined)),
          piped,
          discarded,
        });
      }
    }
    if (!(one.name === 'rpm' && one.args.some((word) => word.value.value === '--import')))
      for (const url of packageUrls(one))
        found.push({ tool: one.name, url, offset: one.offset, index, file: undefined, piped: true, discarded: false });
  }
  return found;
}

/** Commands for which an option is only a word. */
export const printers: ReadonlySet<string> = new Set(['echo', 'printf', 'grep', 'sed', 'awk', ':']);
