import { isRemote, options } from '../shell/downloads.ts';
import type { Flat } from '../shell/flat.ts';
import { texts, type Lint, type LintScript } from '../rule.ts';
import { meaningOf } from '../scope.ts';

/** Signature is one command that verifies files by a key or an identity that the Dockerfile names. */
export interface Signature {
  /** Among the commands of the RUN. */
  readonly index: number;
  readonly stops: boolean;
  readonly files: readonly string[];
}

const fingerprint = /(?:^|[^0-9a-f])(?:0x)?(?:[0-9a-f]{40}|(?:[0-9a-f]{4}\s+){9}[0-9a-f]{4})(?![0-9a-f])/i;
const gpgValued = new Set(
  '--keyring --homedir --status-fd --keyserver --recv-keys --trust-model --primary-keyring'.split(' '),
);
const cosignValued = new Set(
  '--certificate-identity --certificate-identity-regexp --certificate-oidc-issuer --certificate-oidc-issuer-regexp --key --signature --certificate --bundle --rekor-url --certificate-github-workflow-repository'.split(
    ' ',
  ),
);

export const signatureFile = /\.(?:asc|sig|sign|minisig|sigstore(?:\.json)?|bundle|cert|pem)$/i;

/** A full fingerprint in the RUN, or in a variable that no build argument replaces. */
function namesKey(lint: Lint, run: LintScript, flat: Flat): boolean {
  if (fingerprint.test(run.script.text.value)) return true;
  return run.flat.commands.some(
    (one) =>
      (one === flat || /^gpg/.test(one.name)) &&
      one.args.some(({ variables }) =>
        variables.some(({ name }) => {
          if (run.stage === undefined) return false;
          const meaning = meaningOf(lint.model, run.stage, run.instruction, name);
          return meaning?.overridable === false && fingerprint.test(meaning.value?.text.value ?? '');
        }),
      ),
  );
}

function signedBy(lint: Lint, run: LintScript, flat: Flat, isCommitted: (path: string) => boolean): string[] {
  if (/^gpgv?2?$/.test(flat.name)) {
    const { flags, rest, values } = options(flat.args, gpgValued);
    if (!flags.has('--verify') && !flat.name.startsWith('gpgv')) return [];
    const imports = run.flat.commands.filter(
      ({ name, args }) => name.startsWith('gpg') && texts(args).includes('--import'),
    );
    const keys = [
      values.get('--keyring') ?? [],
      ...imports.flatMap(({ args }) => texts(args).filter((text) => !text.startsWith('-'))),
    ].flat();
    if (!namesKey(lint, run, flat) && !(keys.length > 0 && keys.every(isCommitted))) return [];
    const [signature = '', ...files] = rest;
    return files.length > 0 ? files : [signature.replace(signatureFile, '')];
  }
  if (flat.name === 'cosign' && texts(flat.args).includes('verify-blob')) {
    const { values, rest } = options(flat.args, cosignValued);
    const identity = values.has('--certificate-identity') && values.has('--certificate-oidc-issuer');
    const key = values.get('--key');
    return identity || (key !== undefined && !isRemote(key) && isCommitted(key)) ? rest.slice(-1) : [];
  }
  if (flat.name === 'minisign') {
    const { flags, values } = options(flat.args, new Set(['-P', '-p', '-m', '-x']));
    const hasKey = values.has('-P') || isCommitted(values.get('-p') ?? '');
    return flags.has('-V') && hasKey ? [values.get('-m') ?? ''] : [];
  }
  return [];
}

/** signaturesOf returns the verifications of a RUN that name a key by its full fingerprint, an identity, or a committed key. */
export function signaturesOf(lint: Lint, run: LintScript, isCommitted: (path: string) => boolean): Signature[] {
  return run.flat.commands.flatMap((flat, index) => {
    const files = signedBy(lint, run, flat, isCommitted).filter((file) => file !== '');
    return files.length === 0 ? [] : [{ index, stops: flat.stops, files }];
  });
}
