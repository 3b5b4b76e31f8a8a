import { labelNames, type Finding, type RuleInfo } from '../../core/index.ts';
import { redactSecrets } from '../secrets/text.ts';
import type { Rule, RuleContext } from '../context.ts';
import { atConfig, finding } from '../finding.ts';
import { matchesGlob } from '../glob.ts';

const at = (context: RuleContext, name: string) => atConfig(context, `Labels.${name}`, 'LABEL', name);
const quote = (value: string | undefined): string =>
  value === undefined ? 'no such label' : JSON.stringify(redactSecrets(value).slice(0, 120));

const required: RuleInfo = {
  id: 'contract/label-required',
  severity: 'error',
  section: '3.11',
  summary: 'The labels that describe the image are there and not empty.',
  remediation:
    'Set the label with a LABEL instruction; an empty value usually means that a build argument was not given.',
};

export const labelRequired: Rule = {
  info: required,
  check: (context) =>
    context.profile.labels.flatMap(({ name }): Finding[] => {
      const value = context.labels[name];
      if (value !== undefined && value.trim() !== '') return [];
      const found = value === undefined ? 'it is absent' : 'it is empty';
      return [finding(required, name, `label ${name} must be set; ${found}`, at(context, name))];
    }),
};

const value: RuleInfo = {
  id: 'contract/label-value',
  severity: 'error',
  section: '3.11',
  summary: 'Labels hold values of the form that their readers expect.',
  remediation: 'Correct the LABEL instruction, or the build argument that it takes its value from.',
};

export const labelValue: Rule = {
  info: value,
  check: (context) =>
    context.profile.labels.flatMap(({ name, pattern, meaning }): Finding[] => {
      const found = context.labels[name];
      if (pattern === undefined || found === undefined || found.trim() === '') return [];
      if (new RegExp(pattern).test(found)) return [];
      const message = `label ${name} must be ${meaning ?? `like ${pattern}`}; it is ${quote(found)}`;
      return [finding(value, name, message, at(context, name))];
    }),
};

const inherited: RuleInfo = {
  id: 'contract/label-inherited',
  severity: 'error',
  section: '5',
  summary: 'Labels that describe an image are its own, not left over from its base.',
  remediation: 'Override the label with a value that describes this image.',
};

export const labelInherited: Rule = {
  info: inherited,
  check(context) {
    const theirs = context.base?.config.config?.Labels;
    if (context.base === undefined) {
      context.undecided(inherited, 'the base image is not known');
      return [];
    }
    return Object.entries(context.labels).flatMap(([name, own]): Finding[] => {
      if (own === '' || theirs?.[name] !== own) return [];
      if (!context.profile.ownLabels.some((glob) => matchesGlob(glob, name))) return [];
      const message = `label ${name} is ${quote(own)}, inherited unchanged from the base, which it describes instead of this image`;
      return [finding(inherited, name, message, { $case: 'config', key: `Labels.${name}` })];
    });
  },
};

const unread: RuleInfo = {
  id: 'contract/label-unread',
  severity: 'warning',
  section: '5',
  summary: 'Every label under this project’s names is one that a tool reads.',
  remediation: 'Remove the label, or correct its name to one that is read.',
};

/** Names that people write when they mean another one. */
const misspelt: Readonly<Record<string, string>> = {
  'quay.expires_after': labelNames.expires,
  'quay.expire-after': labelNames.expires,
  'quay.expiration': labelNames.expires,
  'quay.expires': labelNames.expires,
};

export const labelUnread: Rule = {
  info: unread,
  check: (context) =>
    Object.keys(context.labels).flatMap((name): Finding[] => {
      const meant = misspelt[name];
      const ours = name.startsWith(context.contract.labelNamespace) && !context.contract.knownLabels.includes(name);
      if (meant === undefined && !ours) return [];
      const message =
        meant === undefined
          ? `nothing reads label ${name}; known are ${context.contract.knownLabels.join(', ')}`
          : `nothing reads label ${name}; the registry reads ${meant}`;
      return [finding(unread, name, message, at(context, name))];
    }),
};

const version: RuleInfo = {
  id: 'contract/version',
  severity: 'warning',
  section: '3.11',
  summary: 'The contract version that the image names is the one it is held to.',
  remediation: `Rebuild on a base that keeps this contract, and let ${labelNames.contract} say so.`,
};

/** A published image must name the contract (label-required); of a derived one this is the advice. */
export const contractVersion: Rule = {
  info: version,
  check(context) {
    const found = context.labels[labelNames.contract];
    const { version: expected } = context.contract;
    if (found === expected || (found === undefined && !context.profile.derived)) return [];
    const says = found === undefined ? 'names none' : `names ${quote(found)}`;
    const message = `contract version ${expected} is expected; the image ${says}`;
    const more = context.strictVersion ? ({ severity: 'error' } as const) : {};
    return [finding(version, labelNames.contract, message, at(context, labelNames.contract), more)];
  },
};

const expiry: RuleInfo = {
  id: 'contract/label-expiry',
  severity: 'error',
  section: '5',
  summary: 'An expiry label says a time that Quay understands.',
  remediation: 'Use a number and a unit of s, m, h, d, w, for example 48h.',
};

export const labelExpiry: Rule = {
  info: expiry,
  check(context) {
    const found = context.labels[labelNames.expires];
    if (found === undefined || /^[1-9][0-9]*[smhdw]$/.test(found)) return [];
    const message = `label ${labelNames.expires} must be a number and a unit, like 48h; it is ${quote(found)}, so the image never expires`;
    return [finding(expiry, labelNames.expires, message, at(context, labelNames.expires))];
  },
};
