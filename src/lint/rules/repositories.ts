import { offsetAt } from '../../dockerfile/index.ts';
import { inStages, shorten, texts, type Rule } from '../rule.ts';
import { isRemote, options, printers } from '../shell/downloads.ts';
import type { Flat } from '../shell/flat.ts';

const unchecked =
  /^(?:--nogpgcheck|--no-gpgcheck|--no-gpg-checks|--allow-unauthenticated|--allow-untrusted|--nosignature|--nodigest|--force-yes|--allow-insecure-repositories|--no-check-signature)$/;
const uncheckedText =
  /\b(?:repo_)?gpgcheck\s*=\s*(?:0|false|no)\b|\[[^\]]*\btrusted=yes\b|APT::Get::AllowUnauthenticated|Acquire::AllowInsecureRepositories|\bSigLevel\s*=\s*Never\b/i;

/** Text that is written into a list of package sources, without the key that signs it. */
function unsignedSource(text: string): string | undefined {
  if (
    /^\s*baseurl\s*=|\bmirrorlist\s*=|^\s*metalink\s*=/m.test(text) &&
    !/\bgpgcheck\s*=\s*(?:1|true|yes)\b/i.test(text)
  )
    return 'a repository without gpgcheck=1';
  if (/^\s*deb(?:-src)?\s+(?!\[[^\]]*signed-by=)/m.test(text)) return 'a deb line without signed-by';
  return undefined;
}

export const unverifiedRepository: Rule = {
  info: {
    id: 'dockerfile/unverified-repository',
    severity: 'error',
    section: 'D3',
    summary: 'Package signatures are always checked, and no package source is added without its key.',
    remediation:
      'take the package from the base’s own repositories, or add the source with its committed key and the check left on',
  },
  *check({ runs, model }) {
    for (const { flat } of runs)
      for (const one of flat.commands) {
        const found = inCommand(one);
        if (found !== undefined)
          yield {
            offset: one.offset,
            subject: shorten(found, 60),
            message: `${one.name === '' ? 'RUN' : one.name}: expected signed packages from known sources, found ${shorten(found, 80)}`,
          };
      }
    for (const { instruction } of inStages(model))
      for (const { body } of instruction.files) {
        const isSource = /\.(?:repo|list)$|\/etc\/(?:yum\.repos\.d|apt\/sources)/.test(instruction.text.value);
        const found = uncheckedText.exec(body.value)?.[0] ?? (isSource ? unsignedSource(body.value) : undefined);
        if (found !== undefined)
          yield {
            offset: offsetAt(body, 0),
            subject: shorten(found, 60),
            message: `${instruction.keyword} writes a package source: expected its key and the check left on, found ${shorten(found, 80)}`,
          };
      }
  },
};

/** What a command leaves unchecked, by option, by what it writes or by the source it adds. */
function inCommand(one: Flat): string | undefined {
  const all = texts(one.args);
  const bodies = one.command.redirects.flatMap(({ body }) => body?.value ?? []);
  const written = [...all, ...bodies].join('\n').replaceAll('\\n', '\n');
  const redirects = one.pipeline.commands.flatMap((command) => command.redirects);
  const target = [...texts(redirects.map((redirect) => redirect.target)), ...all].join(' ');
  const isSource = /\/etc\/(?:yum\.repos\.d|apt\/sources\.list|zypp\/repos\.d|apk\/repositories)/.test(target);
  return (
    (printers.has(one.name) ? undefined : all.find((text) => unchecked.test(text))) ??
    uncheckedText.exec(written)?.[0] ??
    addedSource(one) ??
    (isSource ? unsignedSource(written) : undefined)
  );
}

function addedSource(flat: Flat): string | undefined {
  const all = texts(flat.args);
  const joined = all.join(' ');
  if (flat.name === 'add-apt-repository' || flat.name === 'apt-add-repository') return `${flat.name} ${joined}`;
  if (
    /^(?:dnf|yum|microdnf)(?:-config-manager)?$|^yum-config-manager$/.test(flat.name) &&
    /(?:--add-repo|addrepo)\b/.test(joined)
  )
    return `a package source from the network (${joined})`;
  if (flat.name === 'dnf' && all.includes('copr') && all.includes('enable')) return `dnf ${joined}`;
  if (
    flat.name === 'zypper' &&
    /^(?:ar|addrepo)$/.test(options(flat.args, new Set()).rest[0] ?? '') &&
    all.some(isRemote)
  )
    return `zypper ${joined}`;
  if (flat.name === 'rpm' && all.includes('--import') && all.some(isRemote))
    return `a key fetched from the network (rpm ${joined})`;
  if (flat.name === 'apt-key') return `apt-key ${joined}`;
  return undefined;
}
