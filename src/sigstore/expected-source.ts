import * as z from 'zod';
import type { Provenance } from './provenance-schema.ts';
import { refuse, type Refused } from './refusal.ts';

/** Which source an image has to be built from, as its provenance says. */
const source = z
  .strictObject({
    /** `https://github.com/o/r`. */
    repository: z.url().optional(),
    /** 40 hex digits. */
    commit: z
      .string()
      .regex(/^[0-9a-f]{40}$/, 'not a whole commit: 40 hex digits')
      .optional(),
  })
  .refine(
    ({ repository, commit }) => repository !== undefined || commit !== undefined,
    'neither repository nor commit',
  );
export type ExpectedSource = Readonly<z.infer<typeof source>>;

/** expectedSource is a policy's member about the source. */
export const expectedSource = { source: source.optional() };

const plain = (address: string): string => address.replace(/\/+$/, '').replace(/\.git$/, '');

/**
 * The source is the first dependency with a commit, as this project and GitHub's own attestations write it: later ones may
 * be pinned inputs, which have a name, and would pass for the source.
 */
function sourceOf({
  buildDefinition,
}: Provenance): { readonly uri?: string | undefined; readonly commit: string } | undefined {
  const first = buildDefinition.resolvedDependencies?.find(({ digest }) => digest?.['gitCommit'] !== undefined);
  const commit = first?.digest?.['gitCommit'];
  if (first === undefined || commit === undefined || (first.name !== undefined && first.name !== 'source'))
    return undefined;
  return { uri: first.uri, commit };
}

/** sourceProblem holds provenance against the source that a policy expects; what is not stated is not the expected one. */
export function sourceProblem(provenance: Provenance, expected: ExpectedSource | undefined): Refused | undefined {
  if (expected === undefined) return undefined;
  const found = sourceOf(provenance);
  if (found === undefined) return refuse('other-source', 'the provenance states no source');
  const { repository, commit } = expected;
  if (repository !== undefined) {
    const [, address] = /^git\+([^@#?]+)@[^#]+$/.exec(found.uri ?? '') ?? [];
    if (address === undefined || plain(address) !== plain(repository))
      return refuse('other-source', `built from ${found.uri ?? 'a source without an address'}, not ${repository}`);
  }
  if (commit !== undefined && found.commit !== commit)
    return refuse('other-source', `built from commit ${found.commit}, not ${commit}`);
  return undefined;
}

/** unusedSource says why a policy's source would be held against nothing. */
export function unusedSource(policy: {
  readonly source?: ExpectedSource | undefined;
  readonly require: readonly string[];
}): string | undefined {
  if (policy.source === undefined || policy.require.includes('provenance')) return undefined;
  return 'a source is expected, and the provenance that would state it is not required';
}
