export { verifyLock } from './locks.ts';
export { unlistedInputs, type VariantText } from './unlisted.ts';
export { usedBy, verifyPins, type VerifyInput } from './verify.ts';
