export { buildsOfLayout, builtBy, platformBuild, recordedBuilds } from './builds.ts';
export { demandGate, gateEvidence } from './gate.ts';
export { openEvidence } from './open.ts';
export { withAttachments, withGate, withPublication, withSboms, withVerification } from './steps.ts';
export { gateRecordSchema, type Evidence, type GateEvidence, type GateRecord, type PlatformBuild } from './schema.ts';
export {
  completeEvidence,
  evidenceAt,
  evidenceFile,
  findEvidence,
  readEvidence,
  writeEvidence,
  type EvidencePlace,
  type Filed,
} from './store.ts';
