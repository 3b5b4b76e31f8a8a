import type { Descriptor, Index } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';

const refName = 'org.opencontainers.image.ref.name';

/** pick chooses from a layout's index.json by name, or by place as `@1`; without a name there must be one image only. */
export function pick(index: Index, ref: string | undefined, name: string): Descriptor {
  const names = index.manifests.map(({ annotations, digest }) => annotations?.[refName] ?? digest);
  const fitting = index.manifests.filter(
    (_descriptor, at) => ref === undefined || names[at] === ref || ref === `@${at}`,
  );
  // One image may have several names, an entry each.
  const [descriptor, ...others] = new Map(fitting.map((entry) => [entry.digest, entry])).values();
  if (descriptor !== undefined && others.length === 0) return descriptor;
  throw new AppError('oci/reference', 'usage', `${name} does not hold exactly one such image`, {
    expected: ref ?? 'one image',
    found: names.slice(0, 20).join(', ') || 'no image',
    hint: `name one: ${name}:NAME`,
  });
}
