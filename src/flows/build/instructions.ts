/** Lines joined where they are continued, comments left out, spaces made single: one text for each instruction. */
function instructionsOf(dockerfile: string): string[] {
  const lines = dockerfile.split('\n').filter((line) => !/^\s*(?:#|$)/.test(line));
  return lines
    .join('\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.replaceAll(/\s+/g, ' ').trim());
}

/**
 * finalInstructions gives what the Dockerfile says after its last FROM, one text for each instruction. It is
 * for the generated Dockerfiles, which have no heredocs and no escape directive.
 */
export function finalInstructions(dockerfile: string): string[] {
  const all = instructionsOf(dockerfile);
  return all.slice(all.findLastIndex((text) => /^FROM /i.test(text)) + 1);
}

/** mountPoints lists where RUN steps mount something, sorted and each once. */
export function mountPoints(dockerfile: string): string[] {
  const targets = [...dockerfile.matchAll(/--mount=\S*?\b(?:target|dst|destination)=([^,\s]+)/g)];
  return [...new Set(targets.flatMap(([, target]) => (target?.startsWith('/') === true ? [target] : [])))].sort();
}
