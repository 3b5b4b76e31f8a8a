import type { Finding } from '../../core/index.ts';
import { askJson, type JsonAnswer, reason } from '../client.ts';
import { finding } from '../rules.ts';
import type { Check, Probe } from '../types.ts';
import { urlOf } from './url.ts';

/** Members of /capabilities and what each may be; `null` where a bridge need not know it. */
const capabilities: Readonly<Record<string, readonly string[]>> = {
  framework: ['string'],
  agent_features: ['array'],
  platform_features: ['array'],
  file_system: ['boolean'],
  mcp: ['boolean'],
  tracing: ['string', 'null'],
  session_persistence: ['boolean'],
  model: ['string', 'null'],
  session_id: ['string', 'null'],
};

const kindOf = (value: unknown): string =>
  value === null ? 'null' : value === undefined ? 'nothing' : Array.isArray(value) ? 'array' : typeof value;

async function json(probe: Probe, rule: string, path: string): Promise<Finding | Record<string, unknown>> {
  const subject = `GET ${path}`;
  let answer: JsonAnswer;
  try {
    answer = await askJson(probe, urlOf(probe), path);
  } catch (error) {
    probe.signal.throwIfAborted();
    return finding(probe.settings, rule, subject, 'an answer', `none (${reason(error)})`);
  }
  if (answer.status !== 200) return finding(probe.settings, rule, subject, 'status 200', `status ${answer.status}`);
  if (kindOf(answer.json) !== 'object')
    return finding(probe.settings, rule, subject, 'a JSON object', `${answer.type}, ${kindOf(answer.json)}`);
  return answer.json as Record<string, unknown>;
}

const isFinding = (value: Finding | Record<string, unknown>): value is Finding =>
  typeof value['rule'] === 'string' && 'remediation' in value;

export const health: Check = {
  id: 'health',
  async check(probe) {
    const answer = await json(probe, 'health', '/health');
    return isFinding(answer) ? [answer] : [];
  },
};

export const capabilitiesCheck: Check = {
  id: 'capabilities',
  async check(probe) {
    const answer = await json(probe, 'capabilities', '/capabilities');
    if (isFinding(answer)) return [answer];
    return Object.entries(capabilities).flatMap(([name, kinds]) => {
      const kind = kindOf(answer[name]);
      return kinds.includes(kind)
        ? []
        : [finding(probe.settings, 'capabilities', `GET /capabilities ${name}`, kinds.join(' or '), kind)];
    });
  },
};
