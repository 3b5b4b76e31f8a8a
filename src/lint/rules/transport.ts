import { curlValued, options, printers } from '../shell/downloads.ts';
import type { Flat } from '../shell/flat.ts';
import { inStages, texts, type Rule } from '../rule.ts';

const variables = new Map<string, RegExp>([
  ['NODE_TLS_REJECT_UNAUTHORIZED', /^0$/],
  // git looks only at whether it is set (http.c).
  ['GIT_SSL_NO_VERIFY', /^/],
  ['PYTHONHTTPSVERIFY', /^0$/],
  ['NPM_CONFIG_STRICT_SSL', /^false$/i],
  ['npm_config_strict_ssl', /^false$/i],
  ['PIP_TRUSTED_HOST', /./],
  ['UV_INSECURE_HOST', /./],
  ['UV_INDEX_INSECURE_HOST', /./],
  ['GOINSECURE', /./],
  ['GONOSUMDB', /./],
  ['GONOSUMCHECK', /./],
  ['GOSUMDB', /^off$/],
  ['GOFLAGS', /-insecure/],
]);

function insecure(flat: Flat): string | undefined {
  const all = texts(flat.args);
  const { flags } = options(flat.args, curlValued);
  const first = (...names: string[]): string | undefined => names.find((name) => flags.has(name));
  switch (flat.name) {
    case 'curl':
      return first('-k', '--insecure', '--proxy-insecure');
    case 'wget':
      return first('--no-check-certificate');
    case 'npm':
    case 'yarn':
    case 'pnpm': {
      const at = all.findIndex((text) => /^(?:--)?strict-ssl(?:=|$)/.test(text));
      const text = all[at] ?? '';
      return at >= 0 && (/=false$/.test(text) || all[at + 1] === 'false')
        ? 'strict-ssl=false'
        : first('--no-strict-ssl');
    }
    case 'git':
      return all.some(
        (text, i) =>
          /^http\.sslverify(?:=(?:false|0|no))?$/i.test(text) && (text.includes('=') || all[i + 1] === 'false'),
      )
        ? 'http.sslVerify=false'
        : undefined;
    case 'uv':
      return first('--allow-insecure-host', '--trusted-host');
    default:
      return /^(?:pip[0-9.]*|python[0-9.]*)$/.test(flat.name)
        ? first('--trusted-host')
        : printers.has(flat.name)
          ? undefined
          : first('--no-check-certificate');
  }
}

/** dnf's and apt's own words for the same. */
const written = /\bsslverify\s*=\s*(?:0|false|no)\b|Verify-Peer\s+"?false|strict-ssl\s*=\s*false/i;

export const insecureTransport: Rule = {
  info: {
    id: 'dockerfile/insecure-transport',
    severity: 'error',
    section: 'D2',
    summary: 'No tool accepts any certificate.',
    remediation: 'remove the option; add the missing CA to the trust store instead',
  },
  *check(lint) {
    const say = (offset: number, who: string, found: string): { offset: number; subject: string; message: string } => ({
      offset,
      subject: found,
      message: `${who}: expected checked certificates, found ${found}`,
    });
    for (const { flat } of lint.scripts)
      for (const one of flat.commands) {
        const found = insecure(one) ?? written.exec(texts(one.args).join(' '))?.[0];
        if (found !== undefined) yield say(one.offset, one.name, found);
        const exported =
          one.name === 'export' || one.name === 'env'
            ? one.args.map((word) => ({ text: word.value.value, offset: word.offset }))
            : [];
        const pairs = [
          ...one.command.assignments.map(({ name, value }) => ({ name, value: value.value.value, offset: one.offset })),
          ...exported.map(({ text, offset }) => ({
            name: text.replace(/=.*$/s, ''),
            value: text.replace(/^[^=]*=?/, ''),
            offset,
          })),
        ];
        for (const { name, value, offset } of pairs)
          if (variables.get(name)?.test(value) === true) yield say(offset, 'RUN', `${name}=${value}`);
      }
    for (const { instruction } of inStages(lint.model, 'ENV', 'ARG'))
      for (const { name, value, offset } of instruction.declared)
        if (value !== undefined && variables.get(name)?.test(value.text.value) === true)
          yield say(offset, instruction.keyword, `${name}=${value.text.value}`);
  },
};
