import type { Collectors, Contract } from '../core/index.ts';
import { sessionFiles } from './mcp.ts';
import { secretRules } from './secrets/rules.ts';
import { isToolManifest } from './tools.ts';

/** Programs that are scripts are short; anything longer without an extension is taken for a binary. */
const maxScript = 64 * 1024;
const maxBundle = 512 * 1024;
const maxText = 1024 * 1024;

const accounts = new Set(['/etc/passwd', '/etc/group']);
const programDirectory = /\/(?:s?bin|libexec)\/[^/]+$/;
const scriptName = /\.(?:sh|bash|py|js|mjs|cjs|pl|rb)$/;

/**
 * collectorsFor names the contents that the rules read: accounts, the policy, what a session is configured with, scripts that may be
 * started or named in a policy, the files that set Python's search path, and tools' own versions.
 */
export function collectorsFor(contract: Contract): Collectors {
  const families = [contract.profiles.standard, contract.profiles.openshell];
  const policies = new Set(families.flatMap(({ policy }) => [policy?.path, policy?.rego]));
  const session = new Set(families.map(sessionFiles).flatMap(({ servers, settings }) => [...servers, ...settings]));
  return {
    secrets: secretRules,
    wantContent(path, { type, size, mode }) {
      if (type !== 'file' || size > maxText) return false;
      if (accounts.has(path) || policies.has(path) || session.has(path)) return true;
      if (path.endsWith('/pyvenv.cfg') || /\/(?:site|dist)-packages\/[^/]+\.pth$/.test(path)) return true;
      if (isToolManifest(path)) return true;
      if ((mode & 0o111) === 0) return false;
      const started = families.some(({ home }) => path.startsWith(`${home}/`)) || path.startsWith('/runner/');
      if (scriptName.test(path))
        return size <= maxBundle && (started || programDirectory.test(path) || /\/node_modules\//.test(path));
      return size <= maxScript && (started || programDirectory.test(path));
    },
  };
}
