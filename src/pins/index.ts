export { verifyLock } from './locks.ts';
export { unlistedInputs, type VariantText } from './unlisted.ts';
export { usedBy, verifyPins } from './verify.ts';
