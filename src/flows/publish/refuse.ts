import { isLoopback, labelNames, type ImageConfig } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';

/** refuseLab: lab images are made of stand-ins; outside this machine they would be taken for the real thing. */
export function refuseLab(configs: readonly ImageConfig[], registry: string): void {
  if (isLoopback(registry)) return;
  for (const { config } of configs) {
    if (config?.Labels?.[labelNames.lab] === undefined) continue;
    throw new AppError('publish/lab-image', 'usage', 'a lab image may only go to a registry on loopback', {
      expected: '127.0.0.1, localhost or ::1',
      found: registry,
      hint: 'build the real image: make build-runner',
    });
  }
}

/** refuseDirty: a revision that ends in -dirty names no commit that a reader could look at. */
export function refuseDirty(configs: readonly ImageConfig[], registry: string): void {
  if (isLoopback(registry)) return;
  for (const { config } of configs) {
    const revision = config?.Labels?.[labelNames.revision];
    if (revision !== '' && revision?.endsWith('-dirty') === false) continue;
    throw new AppError('publish/revision', 'usage', 'the image names no commit', {
      expected: `a commit in the label ${labelNames.revision}`,
      found: revision === undefined || revision === '' ? 'no revision' : revision,
      hint: 'commit everything, then build and publish again',
    });
  }
}

/** refuseChangedRunner: what no commit holds, no later reader can look at; on loopback neither, for it looks like a release. */
export function refuseChangedRunner(configs: readonly ImageConfig[]): void {
  for (const { config } of configs) {
    const label = config?.Labels?.[labelNames.runnerSource];
    if (label?.startsWith('local-dirty:') !== true) continue;
    throw new AppError('publish/runner-source', 'usage', "the runner's source was changed since its commit", {
      expected: 'files that a commit holds',
      found: `${labelNames.runnerSource}=${label.slice(0, 100)}`,
      hint: 'commit the changes in the folder of --runner-source, then build and publish again',
    });
  }
}

/** isExpiring: the registry deletes it by itself (label quay.expires-after). */
export const isExpiring = (configs: readonly ImageConfig[]): boolean =>
  configs.some(({ config }) => config?.Labels?.[labelNames.expires] !== undefined);
