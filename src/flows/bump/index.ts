export { bump, type BumpOptions } from './bump.ts';
export { changelog } from './changelog.ts';
export { planChanges } from './changes.ts';
export { FirstSeen, firstSeenFile } from './first-seen.ts';
export { verifyOnline, type OnlineRow } from './online.ts';
export type { Changes } from './overlay.ts';
export { proveOnCopy } from './prove.ts';
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
export { Transaction } from './transaction.ts';
export { writeChanges } from './work-tree.ts';
