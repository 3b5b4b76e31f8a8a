import { githubIssuer } from '../../src/lab/sigstore/identity.ts';
import { localBuilder } from '../../src/sigstore/index.ts';
import { workflow } from './stage.ts';

/** policyText is a policy file for the kit's default identity, with its caller stated, and with parts of it changed. */
export function policyText(changes: Readonly<Record<string, unknown>> = {}): string {
  const caller = { repository: 'https://github.com/o/r', ref: 'refs/heads/main', trigger: 'push' };
  const signer = { issuer: githubIssuer, identities: [workflow], ...caller };
  return JSON.stringify({ version: 1, signer, builders: [localBuilder, workflow], ...changes });
}
