import type { Finding, RuleInfo } from '../../core/index.ts';
import type { Rule } from '../context.ts';
import { atPath, finding } from '../finding.ts';
import { describe, octal } from '../tree.ts';

const setid: RuleInfo = {
  id: 'contract/setid',
  severity: 'warning',
  section: '3.8',
  summary: 'No SUID or SGID program that the base did not bring.',
  remediation:
    'Remove the bit (`chmod a-s`) in the instruction that brings the file, or the file: with no-new-privileges it does not work anyway.',
};

export const noSetid: Rule = {
  info: setid,
  check(context) {
    if (context.base === undefined)
      context.undecided(setid, 'the base image is not known: its own programs are listed too');
    const findings: Finding[] = [];
    for (const [path, entry] of context.census.special) {
      if (entry.type !== 'file' || (entry.mode & 0o6000) === 0) continue;
      const bits = [(entry.mode & 0o4000) !== 0 ? 'SUID' : '', (entry.mode & 0o2000) !== 0 ? 'SGID' : '']
        .filter(Boolean)
        .join(' and ');
      const whose = (entry.mode & 0o4000) !== 0 ? `UID ${entry.uid}` : `GID ${entry.gid}`;
      const message = `no program may gain rights that the base did not give; ${path} is ${bits} (${octal(entry.mode)}) of ${whose}`;
      findings.push(finding(setid, path, message, atPath(context, path)));
    }
    return findings;
  },
};

const capabilities: RuleInfo = {
  id: 'contract/file-capabilities',
  severity: 'warning',
  section: '3.8',
  summary: 'No file capability that the base did not bring.',
  remediation:
    'Remove it (`setcap -r`) in the instruction that brings the file: all capabilities are dropped at run time.',
};

export const noFileCapabilities: Rule = {
  info: capabilities,
  check(context) {
    if (context.base === undefined)
      context.undecided(capabilities, 'the base image is not known: its own files are listed too');
    const findings: Finding[] = [];
    for (const [path, entry] of context.census.special) {
      if (entry.capabilities !== true) continue;
      const message = `no program may gain rights that the base did not give; ${path} has file capabilities (security.capability)`;
      findings.push(finding(capabilities, path, message, atPath(context, path)));
    }
    return findings;
  },
};

const world: RuleInfo = {
  id: 'contract/world-writable',
  severity: 'error',
  section: '3.8',
  summary: 'Nothing that everyone may write, but sticky directories.',
  remediation:
    'Take the right from others (`chmod o-w`) where the file is first written; a shared directory needs the sticky bit (1777).',
};

export const noWorldWritable: Rule = {
  info: world,
  check(context) {
    const findings: Finding[] = [];
    for (const [path, entry] of context.census.special) {
      if ((entry.mode & 0o002) === 0 || (entry.type !== 'file' && entry.type !== 'directory')) continue;
      if (entry.type === 'directory' && (entry.mode & 0o1000) !== 0) continue;
      const message = `only sticky directories may be writable by everyone; ${path} is ${describe(entry)} (${octal(entry.mode)})`;
      findings.push(finding(world, path, message, atPath(context, path)));
    }
    return findings;
  },
};
