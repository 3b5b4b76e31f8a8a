export { collectorsFor } from './collectors.ts';
export type { BaseFacts } from './context.ts';
export { evaluate, type EvaluateInput, type Evaluation } from './evaluate.ts';
export { checkRef } from './reference.ts';
export { ruleInfos } from './rules/index.ts';
export { secretRules } from './secrets/rules.ts';
export { findSecrets, redactSecrets } from './secrets/text.ts';
export { applyWaivers } from './waivers.ts';
