import { expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import { commandLine, consumerCommands, signerHere } from '../../src/flows/trust/index.ts';

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
  } as const;
  const lines = consumerCommands(image, trust).map(commandLine);
  const who =
    '--certificate-identity https://github.com/o/r/x.yml@refs/heads/main --certificate-oidc-issuer https://i.example';
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

test('in GitHub Actions the signer is the workflow; elsewhere nobody is guessed', () => {
  const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKFLOW_REF: 'o/r/.github/workflows/b.yml@refs/heads/main' };
  expect(signerHere(env)).toMatchObject({
    identity: 'https://github.com/o/r/.github/workflows/b.yml@refs/heads/main',
  });
  expect(signerHere({})).toBeUndefined();
});
