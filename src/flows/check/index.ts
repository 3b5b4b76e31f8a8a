export { checkImage, type CheckOptions, type CheckResult } from './check.ts';
export { parseProfile } from './definitions.ts';
export { recordRuns } from './record.ts';
export { openImage, type CheckedImage } from './source.ts';
