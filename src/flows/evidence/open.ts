import { fromOciPlatform, labelNames, parseIndex, type Pin, type Plan } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { openLayout } from '../../oci/layout/index.ts';
import type { Evidence, PlatformBuild } from './schema.ts';
import { evidenceFile, readEvidence, writeEvidence, type Filed } from './store.ts';

const versionOf = (pin: Pin): string => (pin.kind === 'rpms' ? 'floating' : pin.version);

function pinEvidence(pin: Pin): Evidence['pins'][number] {
  return {
    name: pin.name,
    kind: pin.kind,
    version: versionOf(pin),
    evidence: pin.evidence.map((item) => ({ ...item })),
    absent: pin.absent.map((item) => ({ ...item })),
  };
}

/**
 * openEvidence gives the evidence of the index that a layout holds, begun anew when the file is about
 * another index: nothing that was seen of one image may speak for the next. `builds` is who built its
 * platforms, where that was just seen. Throws `evidence/other-inputs` when the layout was not built from the plan.
 */
export async function openEvidence(
  host: Host,
  layoutPath: string,
  plan: Plan,
  builds?: readonly PlatformBuild[],
): Promise<Filed> {
  const layout = await openLayout(host, layoutPath);
  const root = await layout.root();
  if (root === undefined)
    throw new AppError('evidence/empty', 'usage', `${layoutPath} holds no image`, { hint: 'runner-image build' });
  const index = parseIndex(await layout.read(root));
  const inputs = index.annotations?.[labelNames.inputDigest];
  if (inputs !== plan.inputDigest)
    throw new AppError('evidence/other-inputs', 'usage', 'the layout was not built from what the project says now', {
      expected: plan.inputDigest,
      found: inputs ?? `no annotation ${labelNames.inputDigest}`,
      where: { file: layoutPath },
      hint: `runner-image build ${plan.variant}, or check out the commit that built it`,
    });
  const file = evidenceFile(layoutPath);
  const old = await readEvidence(host, file).catch(() => undefined);
  const known = old?.digest === root.digest ? old : undefined;
  const evidence: Evidence = {
    version: 1,
    variant: plan.variant,
    digest: root.digest,
    inputDigest: plan.inputDigest,
    lab: plan.lab,
    platforms: index.manifests.flatMap(({ digest, platform: stated }) => {
      const platform = fromOciPlatform(stated);
      return platform === undefined ? [] : [{ platform, manifest: digest }];
    }),
    pins: plan.pins.map(pinEvidence),
    publications: [],
    attachments: [],
    sboms: [],
    ...known,
    builds: [...(builds ?? known?.builds ?? [])],
  };
  await writeEvidence(host, file, evidence);
  return { file, evidence };
}
