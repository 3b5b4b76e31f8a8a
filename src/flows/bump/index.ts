export { bump, type BumpOptions } from './bump.ts';
export { changelog } from './changelog.ts';
export { firstSeenFile } from './first-seen.ts';
export { verifyOnline, type OnlineRow } from './online.ts';
export { refresh, type RefreshOptions } from './refresh.ts';
export {
  alarmOf,
  isAnswered,
  isDue,
  rowsToCells,
  rowToJson,
  unknownsOf,
  type BumpResult,
  type BumpRow,
} from './rows.ts';
