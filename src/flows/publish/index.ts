export { gate } from './gate.ts';
export { publishLayout, type Published, type PublishOptions } from './publish.ts';
