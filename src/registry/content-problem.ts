import { AppError } from '../errors/index.ts';

/** What is wrong with one thing that a registry holds. */
export interface ContentProblem {
  readonly reason: 'gone' | 'wrong-bytes' | 'too-large';
  readonly detail: string;
}

const reasons: Readonly<Record<string, ContentProblem['reason']>> = {
  'registry/not-found': 'gone',
  'registry/digest-mismatch': 'wrong-bytes',
  'registry/size-mismatch': 'wrong-bytes',
  'registry/malformed-manifest': 'wrong-bytes',
  'registry/too-large': 'too-large',
  'core/oci-json': 'wrong-bytes',
  'core/oci-shape': 'wrong-bytes',
  'core/oci-two-kinds': 'wrong-bytes',
  'core/json-keys': 'wrong-bytes',
  'core/json-depth': 'wrong-bytes',
};

/**
 * contentProblem returns what is wrong with the manifest or blob that an error is about: any account that may write to
 * a repository can leave such a thing there. Undefined for every other error: a registry that fails, refuses a login or
 * is not reached says nothing about what it holds.
 */
export function contentProblem(error: unknown): ContentProblem | undefined {
  if (!(error instanceof AppError)) return undefined;
  const reason = reasons[error.code];
  if (reason === undefined) return undefined;
  if (reason === 'gone') return { reason, detail: 'it is named, and the registry lacks it' };
  const { found } = error.facts;
  return { reason, detail: found === undefined ? error.message : `${error.message}: ${found}` };
}
