import { isDigest, parseImageRef, type Finding, type ImageRef, type RuleInfo } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import { finding } from './finding.ts';

/** Kubernetes' imagePullPolicy, as the control plane sets it for a runner image. */
export type PullPolicy = 'IfNotPresent' | 'Always';

export interface RefOptions {
  /** RUNNER_IMAGE_ALLOWED_REGISTRIES: hostnames, separated by commas; absent or empty allows every registry. */
  readonly allowed?: string | undefined;
}

export interface RefAnswer {
  readonly reference: string;
  readonly parsed?: ImageRef | undefined;
  readonly pullPolicy?: PullPolicy | undefined;
  readonly findings: readonly Finding[];
}

const grammar: RuleInfo = {
  id: 'contract/reference-grammar',
  severity: 'error',
  section: '3.12',
  summary: 'A runner_image is registry/repository:tag or registry/repository@sha256:…, the registry named.',
  remediation: 'Write the reference out in full, for example quay.io/ambient_code/acp_claude_runner@sha256:….',
};
const registry: RuleInfo = {
  id: 'contract/reference-registry',
  severity: 'error',
  section: '3.12',
  summary: 'The registry is one that the allowlist names.',
  remediation: 'Use an image of an allowed registry, or have its hostname added to RUNNER_IMAGE_ALLOWED_REGISTRIES.',
};
const mutable: RuleInfo = {
  id: 'contract/reference-mutable',
  severity: 'note',
  section: '3.12',
  summary: 'A digest says which image runs; a tag can move.',
  remediation: 'Name the image by digest; a tag before it may stay for the reader.',
};

/** Hostnames are compared without case; a port is part of the name only where the allowlist has one. */
function hostOf(text: string): { name: string; port: string } {
  const [, name = text, port = ''] = /^(\[[^\]]*\]|[^:]*)(?::([0-9]+))?$/.exec(text.toLowerCase()) ?? [];
  return { name, port };
}

const hostname =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?$/i;

/** parseAllowed splits the list. Throws `contract/allowlist` for an entry that is no hostname. */
function parseAllowed(text: string): { name: string; port: string }[] {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const wrong = entries.filter((entry) => !hostname.test(entry));
  if (wrong.length > 0)
    throw new AppError('contract/allowlist', 'usage', 'an entry of the registry allowlist is not a hostname', {
      expected: 'hostnames separated by commas, for example quay.io,registry.example.com:5000',
      found: wrong.map((entry) => JSON.stringify(entry.slice(0, 100))).join(', '),
      hint: 'leave out the scheme, paths and wildcards: entries are compared whole',
    });
  return entries.map(hostOf);
}

function parsed(text: string): ImageRef | AppError {
  try {
    return parseImageRef(text);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

/**
 * checkRef validates a `runner_image` value as the control plane does: grammar with the host
 * required, the allowlist compared as whole hostnames, and the pull policy that follows.
 * Throws `contract/allowlist`.
 */
export function checkRef(reference: string, options: RefOptions = {}): RefAnswer {
  const allowed = parseAllowed(options.allowed ?? '');
  const ref = parsed(reference);
  const subject = reference.slice(0, 200);
  const image = { $case: 'image' } as const;
  if (ref instanceof AppError) {
    const message = `${JSON.stringify(subject)} must be ${ref.facts.expected ?? 'a reference'}; ${ref.message}`;
    return { reference, findings: [finding(grammar, subject, message, image)] };
  }
  const findings: Finding[] = [];
  if (ref.tag === undefined && ref.digest === undefined)
    findings.push(finding(grammar, subject, `${subject} must name a tag or a digest; it names neither`, image));
  const host = hostOf(ref.registry);
  if (
    allowed.length > 0 &&
    !allowed.some(({ name, port }) => name === host.name && (port === '' || port === host.port))
  ) {
    const names = allowed.map(({ name, port }) => (port === '' ? name : `${name}:${port}`)).join(', ');
    findings.push(finding(registry, subject, `the registry must be one of ${names}; it is ${ref.registry}`, image));
  }
  if (ref.digest === undefined && ref.tag !== undefined)
    findings.push(
      finding(mutable, subject, `a digest says which image runs; ${subject} has only the tag ${ref.tag}`, image),
    );
  const local = host.name === 'localhost' && host.port === '';
  const pullPolicy = (ref.digest !== undefined && isDigest(ref.digest)) || local ? 'IfNotPresent' : 'Always';
  return { reference, parsed: ref, pullPolicy, findings };
}
