export { ageOf, coolDown, type FirstSeenEntry } from './age.ts';
export { conclude, dependenciesUntil, held, isNews, lostEvidence, rank, refuseFacts } from './judge.ts';
export { checkPolicy, hasRoom, weigh, type Requested } from './policy.ts';
export type * from './types.ts';
