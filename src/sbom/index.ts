export type { Ecosystem, Package } from './component.ts';
export { toCycloneDx } from './cyclonedx.ts';
export { diffPackages, type SbomChange } from './diff.ts';
export { inventory, wantedForSbom, type PinnedPath } from './inventory.ts';
export { goWindow } from './found/go.ts';
