import { formatBytes, type RuleInfo } from '../../core/index.ts';
import type { Rule } from '../context.ts';
import { finding } from '../finding.ts';
import { sizeFacts } from '../size.ts';

const budget: RuleInfo = {
  id: 'contract/size-budget',
  severity: 'warning',
  section: '6',
  summary: 'The compressed image stays within its budget: every pull waits for it.',
  remediation: 'Look at the contributors that are named, or raise the budget in the contract with a reason.',
};

export const sizeBudget: Rule = {
  info: budget,
  check(context) {
    const { compressed, largest } = sizeFacts(context);
    const { compressed: limit } = context.profile.size;
    if (compressed <= limit) return [];
    const named = largest.map(({ path, size }) => `${path} ${formatBytes(size)}`).join(', ');
    const message = `the layers may be ${formatBytes(limit)} together; they are ${formatBytes(compressed)}. Largest: ${named}`;
    return [finding(budget, 'size', message, { $case: 'image' })];
  },
};

const waste: RuleInfo = {
  id: 'contract/wasted-bytes',
  severity: 'warning',
  section: '5',
  summary: 'Few bytes are shipped twice: what a later layer overwrites or deletes still ships.',
  remediation: 'Set ownership and modes where a file is first written, and delete in the instruction that created.',
};

export const wastedBytes: Rule = {
  info: waste,
  check(context) {
    const { wasted, wastedBy } = sizeFacts(context);
    if (wasted <= context.profile.size.wasted) return [];
    const named = wastedBy
      .map(
        ({ layer, size, createdBy }) =>
          `layer ${layer} ${formatBytes(size)}${createdBy === undefined ? '' : ` (${createdBy.slice(0, 60)})`}`,
      )
      .join(', ');
    const message = `at most ${formatBytes(context.profile.size.wasted)} may be overwritten or deleted by later layers; it is ${formatBytes(wasted)}: ${named}`;
    return [finding(waste, 'wasted', message, { $case: 'image' })];
  },
};
