export { gate } from './gate.ts';
export { publishLayout, type Published, type PublishOptions } from './publish.ts';
export { gateLayout, publishVariant, type PublishedVariant, type PublishVariantOptions } from './variant.ts';
