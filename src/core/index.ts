export * from './digest.ts';
export * from './finding.ts';
export * from './image-ref.ts';
export * from './oci.ts';
export * from './picture.ts';
export * from './pin.ts';
export * from './plan.ts';
export * from './platform.ts';
