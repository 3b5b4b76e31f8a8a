export { buildBy, builtBy } from './builds.ts';
export { otherImages } from './consistency.ts';
export { demandGate, demandReason, demandSameImages, refuseLab, requirePassed, type ToSign } from './gate.ts';
export { beginEvidence, openEvidence, type IndexFacts } from './open.ts';
export { judgeRuns, runsOf, withRuns } from './runs.ts';
export type { Build, Evidence, Gate, Run } from './schema.ts';
export { withAttachments, withPublication, withSboms, withVerification } from './steps.ts';
export {
  about,
  evidenceFile,
  extendEvidence,
  findEvidence,
  loadEvidence,
  readEvidence,
  writeEvidence,
  type EvidencePlace,
  type Filed,
} from './store.ts';
