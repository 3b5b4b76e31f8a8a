/** StepName is what an engine's own words say about a step. */
export interface StepName {
  readonly stage?: string | undefined;
  readonly step?: number | undefined;
  readonly total?: number | undefined;
  readonly name: string;
}

const buildkit = /^\[(?:[a-z0-9]+\/[^\s\]]+ )?(?:(\S+) +)?(\d+)\/(\d+)\] (.*)$/s;

/**
 * parseBuildKitName splits `[base 2/4] RUN make` (with a platform before the stage, as builds for
 * another machine have it) and leaves `[internal] load metadata …` as it is.
 */
export function parseBuildKitName(text: string): StepName {
  const match = buildkit.exec(text);
  if (match === null) return { name: text };
  const [, stage, step, total, name = ''] = match;
  return { stage, step: Number(step), total: Number(total), name };
}

const buildah = /^(?:\[(\d+)\/\d+\] )?STEP (\d+)\/(\d+): (.*)$/;

/** parseBuildahStep reads `[1/2] STEP 3/7: RUN make`, which Podman prints too. */
export function parseBuildahStep(line: string): StepName | undefined {
  const match = buildah.exec(line);
  if (match === null) return undefined;
  const [, stage, step, total, name = ''] = match;
  return { stage, step: Number(step), total: Number(total), name };
}
