import { expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import { commandLine, consumerCommands, consumerTrustOf } from '../../src/flows/trust/index.ts';
import { policySchema } from '../../src/sigstore/index.ts';

const [index, amd64, arm64] = ['i', 'a', 'b'].map((text) => digestOf(text)) as [
  ReturnType<typeof digestOf>,
  ReturnType<typeof digestOf>,
  ReturnType<typeof digestOf>,
];
const image = { repo: { registry: 'quay.io', repository: 'o/runner' }, index, images: [amd64, arm64] };

test('a consumer gets a line for every node and every kind of proof, whole values only', () => {
  const trust = {
    $case: 'identity',
    identity: 'https://github.com/o/r/x.yml@refs/heads/main',
    issuer: 'https://i.example',
    repository: 'https://github.com/o/r',
    ref: 'refs/heads/main',
    trigger: 'push',
  } as const;
  const lines = consumerCommands(image, trust).map(commandLine);
  const who =
    '--certificate-identity https://github.com/o/r/x.yml@refs/heads/main --certificate-oidc-issuer https://i.example' +
    ' --certificate-github-workflow-repository o/r --certificate-github-workflow-ref refs/heads/main' +
    ' --certificate-github-workflow-trigger push';
  const at = 'quay.io/o/runner@';
  expect(lines).toEqual([
    ...[index, amd64, arm64].map((digest) => `cosign verify ${who} ${at}${digest}`),
    ...[index, amd64, arm64].map((digest) => `cosign verify-attestation ${who} --type slsaprovenance1 ${at}${digest}`),
    ...[amd64, arm64].map((digest) => `cosign verify-attestation ${who} --type cyclonedx ${at}${digest}`),
  ]);
});

test('a key stands in for an identity, and what a shell would read is quoted', () => {
  const [first] = consumerCommands(image, { $case: 'key', file: "it's.pub" });
  expect(commandLine(first ?? [])).toBe(`cosign verify --key 'it'\\''s.pub' quay.io/o/runner@${index}`);
});

test('a policy says what cosign is to demand: this run’s trigger where it is allowed, and nothing where it states too little', () => {
  const signer = {
    issuer: 'https://token.actions.githubusercontent.com',
    identities: ['https://github.com/o/r/.github/workflows/sign.yml@refs/heads/main'],
    repository: 'https://github.com/o/r',
    ref: 'refs/heads/main',
    trigger: ['push', 'workflow_dispatch'],
  };
  const policy = policySchema.parse({ version: 1, signer });
  const trust = { $case: 'identity', repository: 'https://github.com/o/r', ref: 'refs/heads/main' };
  expect(consumerTrustOf(policy, 'workflow_dispatch')).toMatchObject({ ...trust, trigger: 'workflow_dispatch' });
  expect(consumerTrustOf(policy, 'pull_request_target')).toMatchObject({ ...trust, trigger: 'push' });
  expect(consumerTrustOf(policySchema.parse({ version: 1, signer: { key: 'cosign.pub' } }))).toEqual({
    $case: 'key',
    file: 'cosign.pub',
  });
  const person = { issuer: 'https://accounts.example', identities: ['someone@example.com'] };
  expect(consumerTrustOf(policySchema.parse({ version: 1, signer: person }))).toBeUndefined();
});
