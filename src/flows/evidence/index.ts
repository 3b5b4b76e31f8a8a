export { demandGate, gateEvidence } from './gate.ts';
export { openEvidence } from './open.ts';
export { withAttachments, withGate, withPublication, withSboms, withVerification } from './steps.ts';
export type { Evidence, GateEvidence } from './schema.ts';
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
