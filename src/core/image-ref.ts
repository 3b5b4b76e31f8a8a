import { AppError, type Where } from '../errors/index.ts';
import { isDigest, type Digest } from './digest.ts';

/** A parsed image reference; the registry host is always there, never guessed. */
export interface ImageRef {
  /** `host` or `host:port`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

const host =
  /^(?:localhost|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const component = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** A first component is a host when it has a dot or a port, or is localhost (distribution/reference). */
function looksLikeHost(text: string): boolean {
  return text === 'localhost' || /[.:]/.test(text);
}

function explain(text: string): { reason: string; ref?: ImageRef | undefined } {
  if (text.length > 512) return { reason: 'longer than 512 characters' };
  const [beforeDigest = '', digest, more] = text.split('@');
  if (more !== undefined) return { reason: 'more than one @' };
  if (digest !== undefined && !isDigest(digest))
    return { reason: 'the digest is not sha256: and 64 lower-case hex digits' };
  const slash = beforeDigest.indexOf('/');
  if (slash < 0) return { reason: 'no registry host' };
  const registry = beforeDigest.slice(0, slash);
  if (!looksLikeHost(registry))
    return { reason: `no registry host: ${JSON.stringify(registry)} has neither a dot nor a port` };
  if (!host.test(registry)) return { reason: `malformed registry host ${JSON.stringify(registry)}` };
  const rest = beforeDigest.slice(slash + 1);
  const colon = rest.indexOf(':');
  const repository = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (!repository.split('/').every((part) => component.test(part)))
    return { reason: `malformed repository ${JSON.stringify(repository)}` };
  if (tag !== undefined && !tagPattern.test(tag)) return { reason: `malformed tag ${JSON.stringify(tag)}` };
  return {
    reason: '',
    ref: { registry, repository, tag, digest },
  };
}

/** parseImageRef reads `host/repository[:tag][@digest]`. Throws `core/image-ref`. */
export function parseImageRef(text: string, where?: Where): ImageRef {
  const { reason, ref } = explain(text);
  if (ref !== undefined) return ref;
  throw new AppError('core/image-ref', 'usage', `malformed image reference: ${reason}`, {
    expected: 'host/repository:tag or host/repository@sha256:…',
    found: JSON.stringify(text.slice(0, 200)),
    where,
  });
}

/** formatImageRef returns `host/repository`, with `:tag` and `@digest` where the reference has them. */
export function formatImageRef(ref: ImageRef): string {
  const tag = ref.tag === undefined ? '' : `:${ref.tag}`;
  const digest = ref.digest === undefined ? '' : `@${ref.digest}`;
  return `${ref.registry}/${ref.repository}${tag}${digest}`;
}

/** isLoopback: 127.0.0.0/8, ::1 and localhost, where plain http is spoken and lab images may go. */
export function isLoopback(registry: string): boolean {
  const name = registry.replace(/:[0-9]+$/, '');
  return name === 'localhost' || name === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}
