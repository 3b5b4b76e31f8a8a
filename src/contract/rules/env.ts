import type { Finding, RuleInfo } from '../../core/index.ts';
import { redactSecrets } from '../secrets/text.ts';
import type { Rule, RuleContext } from '../context.ts';
import { atConfig, finding } from '../finding.ts';

const at = (context: RuleContext, name: string) => atConfig(context, `Env.${name}`, 'ENV', name);
const quote = (value: string): string => JSON.stringify(redactSecrets(value).slice(0, 120));

const forbidden: RuleInfo = {
  id: 'contract/env-forbidden',
  severity: 'error',
  section: '3.5',
  summary: 'The image sets none of the variables that the control plane injects.',
  remediation: 'Remove the ENV instruction: the control plane sets this variable for each session.',
};

export const envForbidden: Rule = {
  info: forbidden,
  check: (context) =>
    context.contract.forbiddenEnv.flatMap((name): Finding[] => {
      const found = context.env.get(name);
      if (found === undefined || context.profile.provides.includes(name)) return [];
      const theirs = context.baseEnv.get(name);
      if (context.profile.derived && theirs === found) return [];
      const compared =
        context.base === undefined
          ? 'the base is not known'
          : theirs === undefined
            ? 'the base does not set it'
            : `the base has ${quote(theirs)}`;
      return [
        finding(forbidden, name, `ENV must not set ${name}; it sets ${quote(found)}, ${compared}`, at(context, name)),
      ];
    }),
};

const home: RuleInfo = {
  id: 'contract/env-home',
  severity: 'error',
  section: '3.3',
  summary: "HOME is the profile's home directory.",
  remediation: 'Set it with ENV HOME=…: an arbitrary UID has no entry in /etc/passwd to take it from.',
};

export const envHome: Rule = {
  info: home,
  check(context) {
    const found = context.env.get('HOME');
    if (found === context.profile.home) return [];
    const says = found === undefined ? 'it is not set' : `it is ${quote(found)}`;
    return [finding(home, 'HOME', `HOME must be ${context.profile.home}; ${says}`, at(context, 'HOME'))];
  },
};

const recommended: RuleInfo = {
  id: 'contract/env-recommended',
  severity: 'warning',
  section: '3.5',
  summary: 'The variables that the runner is started with keep their values.',
  remediation: 'Keep the value of the base, or set it with ENV.',
};

export const envRecommended: Rule = {
  info: recommended,
  check: (context) =>
    Object.entries(context.profile.recommendedEnv).flatMap(([name, wanted]): Finding[] => {
      const found = context.env.get(name);
      if (found === wanted) return [];
      const says = found === undefined ? 'it is not set' : `it is ${quote(found)}`;
      return [finding(recommended, name, `${name} should be ${quote(wanted)}; ${says}`, at(context, name))];
    }),
};

const runnerType: RuleInfo = {
  id: 'contract/runner-type',
  severity: 'error',
  section: '3.7',
  summary: 'The default RUNNER_TYPE is one that has a bridge.',
  remediation: 'Set RUNNER_TYPE to one of the types that the contract lists.',
};

export const runnerTypeKnown: Rule = {
  info: runnerType,
  check(context) {
    const found = context.env.get('RUNNER_TYPE');
    const known = Object.keys(context.contract.bridges);
    if (found === undefined || known.includes(found.trim().toLowerCase())) return [];
    const message = `RUNNER_TYPE must be one of ${known.join(', ')}; it is ${quote(found)}`;
    return [finding(runnerType, 'RUNNER_TYPE', message, at(context, 'RUNNER_TYPE'))];
  },
};

const port: RuleInfo = {
  id: 'contract/exposed-port',
  severity: 'error',
  section: '3.1',
  summary: 'The AG-UI port is exposed, and is the one that AGUI_PORT names.',
  remediation: 'Add `EXPOSE 8001` and leave AGUI_PORT as the base sets it.',
};

export const exposedPort: Rule = {
  info: port,
  check(context) {
    const wanted = String(context.contract.port);
    const exposed = Object.keys(context.picture.config.config?.ExposedPorts ?? {});
    const findings: Finding[] = [];
    if (!exposed.some((text) => text === `${wanted}/tcp` || text === wanted)) {
      const found = exposed.length === 0 ? 'none is exposed' : `exposed are ${exposed.join(', ')}`;
      const location = atConfig(context, 'ExposedPorts', 'EXPOSE');
      findings.push(finding(port, `${wanted}/tcp`, `port ${wanted}/tcp must be exposed; ${found}`, location));
    }
    const named = context.env.get('AGUI_PORT');
    // In a derived image the forbidden-variable rule reports a changed AGUI_PORT, with the base's value.
    if (named !== undefined && named !== wanted && context.profile.provides.includes('AGUI_PORT')) {
      const message = `AGUI_PORT must be ${wanted}, the exposed port; it is ${quote(named)}`;
      findings.push(finding(port, 'AGUI_PORT', message, at(context, 'AGUI_PORT')));
    }
    return findings;
  },
};
