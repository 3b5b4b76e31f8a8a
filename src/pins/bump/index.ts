export { ageOf, coolDown, type Age, type FirstSeenEntry } from './age.ts';
export { lostEvidence } from './evidence.ts';
export { checkPolicy, hasRoom, registryOf, weigh, type Wish } from './policy.ts';
export type * from './types.ts';
export { compareVersions, isFloating, parseVersion, tagOfVersion, versionOfTag } from './version.ts';
