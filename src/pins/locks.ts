import * as z from 'zod';
import type { Finding, NpmPin } from '../core/index.ts';
import { finding } from './finding.ts';

const entry = z.looseObject({
  version: z.string().optional(),
  integrity: z.string().optional(),
  resolved: z.string().optional(),
  link: z.boolean().optional(),
  os: z.array(z.string()).optional(),
  cpu: z.array(z.string()).optional(),
});
const lockSchema = z.looseObject({ lockfileVersion: z.number(), packages: z.record(z.string(), entry) });

/**
 * verifyLock proves one agent's package-lock.json (npm's lockfileVersion 3): every package has
 * SHA-512 integrity, none names a host, the pinned package is there with the pinned integrity, and
 * what comes as one program per CPU is there for both.
 */
export function verifyLock(pin: NpmPin, content: unknown): readonly Finding[] {
  const file = `${pin.lock}/package-lock.json`;
  const bad = (rule: string, subject: string, message: string): Finding =>
    finding(rule, 'error', subject, message, `runner-image bump ${pin.name}`, { file });
  const parsed = lockSchema.safeParse(content);
  if (!parsed.success) return [bad('lock-shape', pin.name, 'not a package-lock.json with packages')];
  const packages = Object.entries(parsed.data.packages).filter(([path]) => path !== '');
  const findings = packages.flatMap(([path, { integrity, resolved, link }]) => {
    const list: Finding[] = [];
    if (link === true) list.push(bad('lock-link', path, 'a link to a directory cannot be pinned'));
    else if (integrity === undefined)
      list.push(bad('lock-integrity', path, 'no integrity: npm would take whatever is served'));
    else if (!integrity.startsWith('sha512-'))
      list.push(bad('lock-integrity', path, `expected sha512 integrity, found ${integrity.slice(0, 12)}…`));
    if (resolved !== undefined)
      list.push(bad('lock-host', path, 'the lock names a registry; npm configuration should'));
    return list;
  });
  const own = parsed.data.packages[`node_modules/${pin.package}`];
  if (own === undefined) findings.push(bad('lock-package', pin.package, 'the pinned package is not in the lock'));
  else {
    if (own.version !== pin.version)
      findings.push(
        bad('lock-version', pin.package, `expected version ${pin.version} as pinned, found ${own.version ?? 'none'}`),
      );
    if (own.integrity !== pin.integrity)
      findings.push(bad('lock-integrity', pin.package, 'the lock has another integrity than the pin'));
  }
  const linux = packages.filter(([, { os }]) => os?.includes('linux') ?? false);
  const has = (cpu: string): boolean => linux.some(([, entryOf]) => entryOf.cpu?.includes(cpu) ?? false);
  if (linux.length > 0)
    for (const cpu of ['x64', 'arm64'])
      if (!has(cpu))
        findings.push(bad('lock-architecture', pin.package, `no package for linux/${cpu}, though other CPUs have one`));
  return findings;
}
