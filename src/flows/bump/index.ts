export { alarmOf, bump, rowToJson, type BumpOptions, type BumpResult, type BumpRow } from './bump.ts';
export { changelog } from './changelog.ts';
export { rowsToCells } from './describe.ts';
export { verifyOnline } from './online.ts';
export { firstSeenFile } from './first-seen.ts';
export { refresh, type RefreshOptions } from './refresh.ts';
export { compareImages, imagesSection, withImages } from './images.ts';
