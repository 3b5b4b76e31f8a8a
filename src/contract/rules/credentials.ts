import type { Finding, Location, RuleInfo } from '../../core/index.ts';
import { blame, layerOrigin } from '../blame.ts';
import type { Rule, RuleContext } from '../context.ts';
import { finding } from '../finding.ts';
import { allowedBecause } from '../secrets/allowlist.ts';
import { secretRules } from '../secrets/rules.ts';
import { findSecrets } from '../secrets/text.ts';

const info: RuleInfo = {
  id: 'contract/credentials',
  severity: 'error',
  section: '3.8',
  summary: 'No credential in any layer, in the history or in the config, also when a later layer deletes it.',
  remediation:
    'Revoke it now: every user who can pull the image has it. Then rebuild with a secret mount (RUN --mount=type=secret), so that it reaches no layer.',
};

const summaryOf = (id: string): string => secretRules.find((rule) => rule.id === id)?.summary ?? id;

function inLayers(context: RuleContext): Finding[] {
  const { picture } = context;
  // One file that holds a format twenty times is one thing to fix.
  const first = new Map(
    [...picture.matches].reverse().map((match) => [`${match.rule} ${match.layer} ${match.path}`, match]),
  );
  return [...first.values()].reverse().flatMap(({ rule, path, layer, line, redacted }): Finding[] => {
    if (allowedBecause(rule, path) !== undefined) return [];
    const final = picture.tree.get(path);
    const fate =
      final?.type !== 'file'
        ? ' (deleted later, still in the layer)'
        : final.layer === layer
          ? ''
          : ' (overwritten later, still in the layer)';
    const where = line === undefined ? path : `${path}:${line}`;
    const message = `no layer may hold a credential; layer ${layer} has a ${summaryOf(rule)} in ${where}${fate}: ${redacted}`;
    return [finding(info, path, message, { $case: 'path', path, layer: layerOrigin(picture, layer) })];
  });
}

/** Place is a piece of text of the config, with the words and the location for a finding. */
interface Place {
  readonly text: string;
  readonly subject: string;
  readonly where: string;
  readonly location: Location;
}

function configPlaces({ picture, env, labels }: RuleContext): Place[] {
  const place = (key: string, where: string, text: string, keyword: string, name?: string): Place => {
    const layer = blame(picture, keyword, name);
    return { text, subject: key, where, location: { $case: 'config', key, layer } };
  };
  const config = picture.config.config;
  return [
    // Some formats are an assignment (`aws_secret_access_key=…`): the name is part of them.
    ...[...env].map(([name, value]) => place(`Env.${name}`, `ENV ${name}`, `${name}=${value}`, 'ENV', name)),
    ...Object.entries(labels).map(([name, value]) => place(`Labels.${name}`, `label ${name}`, value, 'LABEL', name)),
    place('Entrypoint', 'ENTRYPOINT', (config?.Entrypoint ?? []).join(' '), 'ENTRYPOINT'),
    place('Cmd', 'CMD', (config?.Cmd ?? []).join(' '), 'CMD'),
  ];
}

function historyPlaces({ picture }: RuleContext): Place[] {
  let layer = -1;
  return (picture.config.history ?? []).map((entry, index) => {
    if (entry.empty_layer !== true) layer += 1;
    return {
      text: `${entry.created_by ?? ''}\n${entry.comment ?? ''}`,
      subject: `history[${index}]`,
      where: `history entry ${index}`,
      location: { $case: 'config', key: `history[${index}]`, layer: layerOrigin(picture, Math.max(layer, 0)) },
    };
  });
}

/** The same credential is reported once: ENV and LABEL stand in the config and again in the history. */
function inTexts(places: readonly Place[]): Finding[] {
  const seen = new Set<string>();
  return places.flatMap(({ text, subject, where, location }) =>
    findSecrets(text).flatMap(({ rule, redacted, index, length }): Finding[] => {
      const match = text.slice(index, index + length);
      if (seen.has(match)) return [];
      seen.add(match);
      const message = `no image may hold a credential; ${where} has a ${rule.summary}: ${redacted}`;
      return [finding(info, subject, message, location)];
    }),
  );
}

export const noCredentials: Rule = {
  info,
  check: (context) => [...inLayers(context), ...inTexts([...configPlaces(context), ...historyPlaces(context)])],
};
