export { verifyLock } from './locks.ts';
export { unlistedInputs, type VariantText } from './unlisted.ts';
export { compareUpstream, verifyUpstream, type ImageParts, type UpstreamClone } from './upstream.ts';
export { usedBy, verifyPins } from './verify.ts';
