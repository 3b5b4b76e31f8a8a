import { expandGlobals, imageReferences as referencesIn, readDockerfile } from '../dockerfile/index.ts';

/** imageReferences returns what a Dockerfile takes from registries, each once; names of stages are left out. */
export function imageReferences(dockerfile: string): string[] {
  const model = readDockerfile(dockerfile);
  const found = [...referencesIn(model)].map(({ word }) => expandGlobals(model, word));
  return [...new Set(found.filter((text) => /^(?:localhost|[^/]*[.:][^/]*)\/./.test(text)))].sort();
}

/** registriesOf returns the hosts that a Dockerfile takes images from, each once. */
export function registriesOf(dockerfile: string): string[] {
  return [...new Set(imageReferences(dockerfile).map((text) => text.slice(0, text.indexOf('/'))))];
}
