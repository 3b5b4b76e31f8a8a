import { join } from 'node:path';
import { maxYamlBytes, readContract, readWaivers } from '../../config/index.ts';
import { labelNames, type Contract, type Picture, type Profile, type Waiver } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { findVariant, loadDefinitions } from '../plan.ts';

export const contractFile = 'images/contract/v1.yaml';

export async function loadContract(host: Host, root: string): Promise<Contract> {
  return readContract(await host.files.readText(join(root, contractFile), maxYamlBytes), contractFile);
}

/** Own is what this project's definitions say of an image that it builds itself. */
export interface Own {
  readonly profile: Profile;
  readonly waivers: readonly Waiver[];
  /** Where findings about the image point. */
  readonly dockerfile: string;
}

/** ownDefinition finds an image's variant by its label; undefined for an image of another project. */
export async function ownDefinition(host: Host, root: string, variant: string | undefined): Promise<Own | undefined> {
  if (variant === undefined) return undefined;
  const definitions = await loadDefinitions(host, root);
  try {
    const { image } = findVariant(definitions, variant);
    return {
      profile: image.profile,
      waivers: image.waivers,
      dockerfile: `images/${image.image}/Dockerfile.${variant}`,
    };
  } catch (error) {
    if (error instanceof AppError && error.code === 'plan/unknown-variant') return undefined;
    throw error;
  }
}

export function variantOf(picture: Picture | undefined): string | undefined {
  return picture?.config.config?.Labels?.[labelNames.variant];
}

/** readWaiverFile reads the waivers beside a derived image's Dockerfile. */
export async function readWaiverFile(host: Host, file: string): Promise<readonly Waiver[]> {
  return readWaivers(await host.files.readText(file, maxYamlBytes), file);
}

/** parseProfile throws `check/profile`. */
export function parseProfile(text: string): Profile {
  if (text === 'standard' || text === 'openshell' || text === 'custom') return text;
  throw new AppError('check/profile', 'usage', 'unknown profile', {
    expected: 'standard, openshell or custom',
    found: JSON.stringify(text),
  });
}
