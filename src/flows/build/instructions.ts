import { mountsOf, readDockerfile } from '../../dockerfile/index.ts';

/** finalInstructions returns the instructions of the last stage, one text for each, with single spaces. */
export function finalInstructions(dockerfile: string): string[] {
  const last = readDockerfile(dockerfile).stages.at(-1);
  return (last?.instructions ?? []).map(({ written }) => written.replace(/\s+/g, ' '));
}

/** mountPoints lists where RUN steps mount something, sorted and each once. */
export function mountPoints(dockerfile: string): string[] {
  const model = readDockerfile(dockerfile);
  const mounts = model.stages.flatMap(({ instructions }) => instructions).flatMap((one) => mountsOf(one, model.escape));
  const targets = mounts.flatMap((mount) => mount.get('target')?.text.value ?? []);
  return [...new Set(targets.filter((target) => target.startsWith('/')))].sort();
}
