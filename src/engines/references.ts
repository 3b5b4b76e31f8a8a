const references = /^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)|--from=(\S+)|[,=]from=([^,\s]+)/gim;

/** imageReferences returns what a Dockerfile takes from registries, each once; names of stages are left out. */
export function imageReferences(dockerfile: string): string[] {
  const found = [...dockerfile.matchAll(references)].map(([, from, copy, mount]) => from ?? copy ?? mount ?? '');
  return [...new Set(found.filter((text) => /^(?:localhost|[^/]*[.:][^/]*)\/./.test(text)))].sort();
}

/** registriesOf returns the hosts that a Dockerfile takes images from, each once. */
export function registriesOf(dockerfile: string): string[] {
  return [...new Set(imageReferences(dockerfile).map((text) => text.slice(0, text.indexOf('/'))))];
}
