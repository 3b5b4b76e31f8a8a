import type { Finding, NetworkPolicy, PolicyEndpoint, RuleInfo } from '../../core/index.ts';
import type { Rule } from '../context.ts';
import { finding } from '../finding.ts';
import { matchesGlob } from '../glob.ts';
import { readPolicy } from './read.ts';

const info: RuleInfo = {
  id: 'contract/policy-unusable',
  severity: 'warning',
  section: '4',
  summary: 'Every entry of network_policies allows a program an endpoint that no other entry already allows.',
  remediation: 'Complete the entry or remove it: an entry without effect misleads reviewers of the policy.',
};

const portsOf = ({ port, ports }: PolicyEndpoint): number[] =>
  ports !== undefined && ports.length > 0 ? ports : port === undefined ? [] : [port];

/** Without a protocol the connection is not looked into: everything passes. */
const levels = { 'read-only': 1, 'read-write': 2, full: 3 } as const;
function levelOf({ protocol, access, rules, enforcement }: PolicyEndpoint): number | undefined {
  if (protocol === undefined || enforcement === 'audit') return 4;
  return rules !== undefined ? undefined : levels[access ?? 'full'];
}

/** Host globs stand for one label. */
const hostCovers = (wide: string, narrow: string): boolean =>
  wide.toLowerCase() === narrow.toLowerCase() ||
  (!narrow.includes('*') &&
    matchesGlob(wide.toLowerCase().replaceAll('.', '/'), narrow.toLowerCase().replaceAll('.', '/')));

function endpointCovers(wide: PolicyEndpoint, narrow: PolicyEndpoint): boolean {
  if (!hostCovers(wide.host, narrow.host) || !portsOf(narrow).every((port) => portsOf(wide).includes(port)))
    return false;
  if (wide.deny_rules !== undefined || (wide.path !== undefined && wide.path !== narrow.path)) return false;
  const [a, b] = [levelOf(wide), levelOf(narrow)];
  if (a === undefined || b === undefined) return a === 4 || JSON.stringify(wide.rules) === JSON.stringify(narrow.rules);
  return a >= b;
}

const binaryCovers = (wide: string, narrow: string): boolean => wide === narrow || matchesGlob(wide, narrow);

function covers(wide: NetworkPolicy, narrow: NetworkPolicy): boolean {
  return (
    (narrow.binaries ?? []).every(({ path }) =>
      (wide.binaries ?? []).some((binary) => binaryCovers(binary.path, path)),
    ) &&
    (narrow.endpoints ?? []).every((endpoint) =>
      (wide.endpoints ?? []).some((other) => endpointCovers(other, endpoint)),
    )
  );
}

/** An allow rule whose every request a deny rule takes back. */
function deniedRules({ rules, deny_rules: denied }: PolicyEndpoint): number[] {
  return (rules ?? []).flatMap(({ allow }, index) => {
    const beaten = (denied ?? []).some(({ method = '*', path = '**', ...rest }) => {
      const anyMethod = method === '*' || method.toUpperCase() === (allow.method ?? '*').toUpperCase();
      return Object.keys(rest).length === 0 && anyMethod && (path === '**' || path === '/**' || path === allow.path);
    });
    return beaten ? [index] : [];
  });
}

export const policyUnusable: Rule = {
  info,
  check({ policy: source }): Finding[] {
    if (source === undefined) return [];
    const { policy, at } = readPolicy(source);
    const entries = Object.entries(policy?.network_policies ?? {});
    return entries.flatMap(([name, entry], position): Finding[] => {
      const say = (message: string, ...path: PropertyKey[]): Finding =>
        finding(
          info,
          name,
          `${name} must allow a program something; ${message}`,
          at(['network_policies', name, ...path]),
        );
      const [endpoints, binaries] = [entry.endpoints ?? [], entry.binaries ?? []];
      if (endpoints.length === 0) return [say(`it names ${binaries.length} binaries and no endpoint`)];
      if (binaries.length === 0) return [say(`it names ${endpoints.length} endpoints and no binary that may use them`)];
      const found = endpoints.flatMap((endpoint, index) => [
        ...(portsOf(endpoint).length === 0 ? [say(`${endpoint.host} has no port`, 'endpoints', index)] : []),
        ...(endpoint.rules?.length === 0
          ? [say(`${endpoint.host} has an empty list of rules`, 'endpoints', index, 'rules')]
          : []),
        ...deniedRules(endpoint).map((rule) =>
          say(
            `rule ${rule} of ${endpoint.host} is taken back by a deny rule, which is stronger`,
            'endpoints',
            index,
            'rules',
            rule,
          ),
        ),
      ]);
      // Of two equal entries the later is the superfluous one.
      const by = entries.find(
        ([, other], i) => i !== position && covers(other, entry) && (i < position || !covers(entry, other)),
      );
      return by === undefined ? found : [...found, say(`${by[0]} allows all of it already`)];
    });
  },
};
