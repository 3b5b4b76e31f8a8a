import { fileURLToPath } from 'node:url';
import type { Definitions } from '../../src/core/index.ts';
import { loadDefinitions } from '../../src/flows/plan-definitions.ts';
import { renderDockerfile, type Rendered } from '../../src/dockerfile/render.ts';
import type { Mirrors } from '../../src/core/index.ts';
import { fakeHost } from '../support/fake-host.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The project's own definitions, as they are committed. */
export const committed: Definitions = await loadDefinitions(fakeHost(), root);

/** renderAll renders every variant, by name. */
export function renderAll(definitions: Definitions, mirrors?: Mirrors): Map<string, Rendered> {
  return new Map(
    definitions.images.flatMap((image) =>
      image.variants.map((variant) => [variant.name, renderDockerfile(definitions, image, variant, mirrors)] as const),
    ),
  );
}
