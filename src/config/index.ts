export { maxYamlBytes, readYaml } from './document.ts';
export { readContract } from './contract.ts';
export { readFragment } from './fragment.ts';
export { readImage } from './image.ts';
export { readPins, type PinEntry } from './pins.ts';
export { mergePolicy } from './policy.ts';
export { editorSchemas } from './schemas.ts';
export { readUpstream } from './upstream.ts';
export { readWaivers } from './waiver.ts';
