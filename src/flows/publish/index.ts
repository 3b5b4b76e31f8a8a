export { type GateCheck, type Gating } from './gate.ts';
export { publish, rehearse, type Published, type PublishOptions } from './publish.ts';
export { moveTags, pushImage } from './push.ts';
