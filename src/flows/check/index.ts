export { checkImage, checkSource, type CheckOptions, type CheckResult } from './check.ts';
export { parseProfile } from './definitions.ts';
export { openSource } from './source.ts';
