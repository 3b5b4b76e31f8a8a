import { join } from 'node:path';
import { AppError } from '../errors/index.ts';
import type { Definitions, Finding, Pin } from '../core/index.ts';
import { renderDockerfile } from '../dockerfile/render.ts';
import type { Host } from '../host/index.ts';
import { usedBy, verifyPins, type VariantText } from '../pins/index.ts';
import { loadDefinitions } from './plan-definitions.ts';
import { upstreamFindings } from './upstream.ts';

export interface PinRow {
  readonly name: string;
  readonly kind: Pin['kind'];
  /** What a person reads as the pin's version. */
  readonly version: string;
  /** What the bytes are held against. */
  readonly locked: string;
  readonly usedBy: readonly string[];
  readonly pin: Pin;
}

export interface PinsOptions {
  readonly root: string;
  readonly pinsFile?: string | undefined;
  /** A clone of upstream, against which images/upstream.yaml is held, too. */
  readonly upstream?: string | undefined;
}

function locked(pin: Pin): string {
  switch (pin.kind) {
    case 'image':
    case 'git':
      return pin.digest;
    case 'release':
      return pin.checksumFile;
    case 'npm':
      return pin.integrity;
    case 'python':
      return `by ${pin.installedBy}`;
    case 'rpms':
      return 'signed, versions float';
    case 'action':
      return pin.commit;
  }
}

function variantTexts(definitions: Definitions): readonly VariantText[] {
  return definitions.images.flatMap((image) =>
    image.variants.map((variant) => {
      const { text, pins } = renderDockerfile(definitions, image, variant);
      return { variant: variant.name, dockerfile: `images/${image.image}/Dockerfile.${variant.name}`, text, pins };
    }),
  );
}

/** listPins returns every pin with the variants that consume it, in the file's order. */
export async function listPins(host: Host, options: PinsOptions): Promise<readonly PinRow[]> {
  const definitions = await loadDefinitions(host, options.root, options.pinsFile);
  const variants = variantTexts(definitions);
  return [...definitions.pins.values()].map((pin) => ({
    name: pin.name,
    kind: pin.kind,
    version: 'version' in pin ? pin.version : `${pin.packages.length} packages`,
    locked: locked(pin),
    usedBy: usedBy(pin, variants),
    pin,
  }));
}

async function readLock(host: Host, root: string, folder: string): Promise<unknown> {
  const file = `${folder}/package-lock.json`;
  if ((await host.files.stat(join(root, file)))?.type !== 'file') return undefined;
  try {
    return JSON.parse(await host.files.readText(join(root, file))) as unknown;
  } catch (cause) {
    throw new AppError('pins/lock-json', 'usage', 'the lock is not JSON', { where: { file }, cause });
  }
}

/** checkPins runs verifyPins and verifyUpstream over the project, without network. `given` are its definitions, where they are loaded. */
export async function checkPins(
  host: Host,
  options: PinsOptions,
  given?: Definitions,
): Promise<{ pins: number; variants: number; findings: readonly Finding[] }> {
  const definitions = given ?? (await loadDefinitions(host, options.root, options.pinsFile));
  const variants = variantTexts(definitions);
  const pins = [...definitions.pins.values()];
  const locks = new Map<string, unknown>();
  for (const pin of pins) if (pin.kind === 'npm') locks.set(pin.name, await readLock(host, options.root, pin.lock));
  const findings = verifyPins({ pinsFile: definitions.pinsFile, pins, variants, locks });
  const upstream = await upstreamFindings(host, options.root, definitions, options.upstream);
  return { pins: pins.length, variants: variants.length, findings: [...findings, ...upstream] };
}
