import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const images = join(import.meta.dirname, '../../images');
const known = ['filesystem_policy', 'landlock', 'network_policies', 'process', 'version'];
const parts = join(images, 'openshell/policy/parts');
const files = [
  ...readdirSync(parts).map((name) => join(parts, name)),
  join(images, 'standard/rootfs/etc/openshell/policy.yaml'),
];

// The supervisor drops a key that it does not know without a word, and a whole layer with it.
test.each(files)('%s has only keys that the supervisor knows', (file) => {
  const policy = parse(readFileSync(file, 'utf8'), { strict: true, uniqueKeys: true }) as Record<string, unknown>;
  expect(Object.keys(policy).filter((key) => !known.includes(key))).toEqual([]);
  expect(policy['network_policies']).toBeTypeOf('object');
});

// No evaluator of Rego is to be had from npm or Debian: what the rules decide is not tested here.
test('policy.rego defines every rule that supervisor 0.0.83 asks for', () => {
  const text = readFileSync(join(images, 'standard/rootfs/etc/openshell/policy.rego'), 'utf8');
  const defined = new Set([...text.matchAll(/^(?:default )?(\w+)(?= |$)/gm)].map((match) => match[1]));
  const asked = [
    ...['filesystem_policy', 'landlock_policy', 'process_policy'],
    ...['allow_network', 'network_action', 'matched_network_policy', 'deny_reason'],
    ...['allow_request', 'request_deny_reason', '_matching_endpoint_configs', 'exact_declared_endpoint_host'],
  ];
  expect(asked.filter((name) => !defined.has(name))).toEqual([]);
  expect(text).toMatch(/^package openshell\.sandbox$/m);
  expect(text).toMatch(/^default allow_network := false$/m);
  expect(text).toMatch(/^default allow_request := false$/m);
});
