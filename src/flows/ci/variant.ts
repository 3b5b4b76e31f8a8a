import type { Definitions, ImageRef } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';

/**
 * variantOfRepository returns the variant that is published to a repository: a job that receives nothing but
 * a repository and a digest finds by it what was built. Another registry may hold it under the same name
 * (a mirror, the lab). Throws `ci/repository`.
 */
export function variantOfRepository(definitions: Definitions, ref: Pick<ImageRef, 'registry' | 'repository'>): string {
  const name = `${ref.registry}/${ref.repository}`;
  const variants = definitions.images.flatMap(({ variants: all }) => all);
  const pathOf = (repository: string): string => repository.slice(repository.indexOf('/') + 1);
  const found =
    variants.find(({ repository }) => repository === name) ??
    variants.find(({ repository }) => pathOf(repository) === ref.repository);
  if (found !== undefined) return found.name;
  throw new AppError('ci/repository', 'usage', 'no variant is published to this repository', {
    expected: variants.map(({ repository }) => repository).join(', '),
    found: name,
    hint: 'name the variant with --variant',
  });
}
