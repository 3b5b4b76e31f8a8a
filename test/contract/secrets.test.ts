import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { allowedBecause } from '../../src/contract/secrets/allowlist.ts';
import { findSecrets, redactSecrets, secretRules } from '../../src/contract/index.ts';
import { changed, withEnv, withLabel } from './edit.ts';
import { check, problems, standard } from './good.ts';

/** Random-looking characters of an alphabet: no real credential, and none that stands in this file. */
function made(
  length: number,
  alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  seed = 'x',
): string {
  let text = '';
  for (let n = 0; text.length < length; n += 1)
    for (const byte of createHash('sha256').update(`${seed}${n}`).digest())
      text += alphabet[byte % alphabet.length] ?? '';
  return text.slice(0, length);
}
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const digits = '0123456789';
const pem = (kind: string, newline = '\n'): string =>
  `-----BEGIN ${kind}PRIVATE KEY-----${newline}${made(64)}${newline}${made(64)}`;

const samples: Record<string, string[]> = {
  'private-key': [
    pem('RSA '),
    pem(''),
    pem('OPENSSH '),
    JSON.stringify({ private_key: pem('') }),
    pem('RSA ', '\nProc-Type: 4,ENCRYPTED\n\n'),
  ],
  'pgp-private-key': [`-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n${made(64)}`],
  'age-key': [`AGE-SECRET-KEY-1${made(58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L')}`],
  'aws-access-key-id': [`key = AKIA${made(16, upper)}`],
  'aws-secret-key': [`aws_secret_access_key = ${made(40)}`, `AWS_SECRET_ACCESS_KEY="${made(40)}"`],
  'azure-storage-key': [`AccountKey=${made(86)}==`],
  'google-api-key': [`AIza${made(35)}`],
  'google-oauth-token': [`ya29.${made(100)}`, `GOCSPX-${made(28)}`],
  'github-token': [`ghp_${made(36)}`, `ghs_${made(36)}`, `github_pat_${made(22)}_${made(59)}`],
  'gitlab-token': [`glpat-${made(20)}`],
  'npm-token': [`npm_${made(36)}`],
  'npmrc-auth': [`//registry.example.org/:_authToken=${made(36, 'abcdef0123456789')}`],
  'pypi-token': [`pypi-AgEIcHlwaS5vcmc${made(120)}`],
  'anthropic-key': [`sk-ant-api03-${made(93)}AA`],
  'openai-key': [
    `sk-proj-${made(40)}T3BlbkFJ${made(40, undefined, 'y')}`,
    `sk-${made(20)}T3BlbkFJ${made(20, undefined, 'y')}`,
  ],
  'slack-token': [
    `xoxb-${made(12, digits)}-${made(12, digits)}-${made(24)}`,
    `https://hooks.slack.com/services/T${made(9, upper)}/B${made(9, upper)}/${made(24)}`,
  ],
  'huggingface-token': [`hf_${made(34, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')}`],
  'vault-token': [`hvs.${made(95)}`],
  'stripe-key': [`sk_live_${made(24)}`],
  'openshift-token': [`sha256~${made(43)}`],
  'docker-auth': [
    JSON.stringify({ auths: { 'quay.io': { auth: Buffer.from(`org+robot:${made(40)}`).toString('base64') } } }),
  ],
  netrc: [`machine api.github.com login me password ${made(20)}`],
  'url-credentials': [`https://me:${made(12)}@git.corp.internal/x.git`],
  jwt: [`${base64url({ alg: 'RS256' })}.${base64url({ sub: 'system:serviceaccount:x' })}.${made(86)}`],
};

describe('credential formats', () => {
  it('have samples for every rule', () => {
    expect(Object.keys(samples).sort()).toEqual(secretRules.map(({ id }) => id).sort());
  });
  it.each(Object.entries(samples).flatMap(([id, texts]) => texts.map((text) => [id, text] as const)))(
    '%s is found',
    (id, text) => {
      const found = findSecrets(`before ${text} after`);
      expect(found.map(({ rule }) => rule.id)).toContain(id);
      // A scanner that looks no further than `reach` around a literal must see the whole match.
      const match = found.find(({ rule }) => rule.id === id);
      expect(match?.length).toBeLessThanOrEqual(match?.rule.reach ?? 0);
    },
  );
  it.each(Object.entries(samples).map(([id, [text = '']]) => [id, text] as const))(
    '%s leaves nothing of itself in a redacted text',
    (id, text) => {
      const redacted = redactSecrets(`--token ${text} end`);
      expect(redacted).not.toContain(text);
      expect(findSecrets(redacted).map(({ rule }) => rule.id)).not.toContain(id);
      expect(redacted).toMatch(/characters\)/);
    },
  );
  it.each([
    '-----BEGIN RSA PRIVATE KEY-----',
    '-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----',
    'AKIAIOSFODNN7EXAMPLE',
    `aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`,
    'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    'ghp_0000000000000000000000000000000000000000',
    `${'A'.repeat(50)}AKIAABCDEFGH23456777${'A'.repeat(50)}`,
    'sk-ant-placeholder',
    'https://user:password@example.com/',
    'https://user:$TOKEN@github.com/',
    'https://user:${TOKEN}@github.com/',
    '{"auth": "bm9uZW5vbmU="}',
    'npm_config_registry_and_some_more_text_here_that_is_long',
    // The example on jwt.io.
    `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url({ sub: '1234567890', name: 'John Doe' })}.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c`,
    '//registry.example.org/:_authToken=${NPM_TOKEN}',
  ])('%s is no credential', (text) => {
    expect(findSecrets(text).map(({ rule }) => rule.id)).toEqual([]);
  });
  it('carry literals that every sample contains, so that a literal search misses none', () => {
    for (const { id, literals } of secretRules)
      for (const text of samples[id] ?? [])
        expect([id, literals.some((literal) => text.includes(literal))]).toEqual([id, true]);
  });
});

describe('credentials in an image', () => {
  const token = `ghp_${made(36)}`;
  const about = (edit: Parameters<typeof changed>[0] | ReturnType<typeof withEnv>) =>
    problems(check((typeof edit === 'function' ? edit : changed(edit))(standard()), 'standard'));

  it('are found in the environment once, though the history repeats it, with the instruction', () => {
    const found = about(withEnv({ GH: token }, `ENV GH=${token}`));
    expect(found.map(({ rule, subject }) => [rule, subject])).toEqual([['contract/credentials', 'Env.GH']]);
    expect(found[0]?.location).toMatchObject({ $case: 'config', layer: { createdBy: 'ENV GH=ghp_… (40 characters)' } });
    expect(JSON.stringify(found)).not.toContain(token);
  });
  it('are found in a label, and in an instruction that left no other trace', () => {
    expect(about(withLabel('org.opencontainers.image.title', token)).map(({ subject }) => subject)).toEqual([
      'Labels.org.opencontainers.image.title',
    ]);
    const found = about({ layers: ['ADD file:ubi.tar in /', `RUN |1 TOKEN=${token} /bin/sh -c fetch`] });
    expect(found.map(({ subject }) => subject)).toEqual(['history[1]']);
    expect(JSON.stringify(found)).not.toContain(token);
  });
  it('are found in a layer, deleted ones included, and public test data is not', () => {
    const matches = [
      { rule: 'github-token', path: '/root/.netrc', layer: 1, line: 3, redacted: 'ghp_… (40 characters)' },
      {
        rule: 'private-key',
        path: '/usr/lib/python3.12/test/certdata/keycert.pem',
        layer: 0,
        redacted: '… (900 characters)',
      },
    ];
    const found = about({ matches });
    expect(found.map(({ message }) => message)).toEqual([
      'no layer may hold a credential; layer 1 has a GitHub token in /root/.netrc:3 (deleted later, still in the layer): ghp_… (40 characters)',
    ]);
    expect(allowedBecause('private-key', '/root/.ssh/id_rsa')).toBeUndefined();
  });
});
