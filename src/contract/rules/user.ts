import type { RuleInfo } from '../../core/index.ts';
import type { Rule } from '../context.ts';
import { atConfig, finding } from '../finding.ts';

const nonRoot: RuleInfo = {
  id: 'contract/user-non-root',
  severity: 'error',
  section: '3.6',
  summary: 'The final user is not root, by number or by name.',
  remediation: 'End the Dockerfile with `USER 1001` (a number: Kubernetes cannot prove that a name is not root).',
};

export const userNonRoot: Rule = {
  info: nonRoot,
  check(context) {
    const text = context.picture.config.config?.User ?? '';
    const { user } = context;
    if (user.$case === 'ok' && user.uid !== 0) return [];
    const found = user.$case === 'bad' ? user.why : user.how;
    const shown = text === '' ? 'not set' : JSON.stringify(text.slice(0, 100));
    const message = `the final user must not be root; USER is ${shown}: ${found}`;
    return [finding(nonRoot, 'User', message, atConfig(context, 'User', 'USER'))];
  },
};

const recommended: RuleInfo = {
  id: 'contract/user-recommended',
  severity: 'warning',
  section: '3.6',
  summary: 'The user is the recommended one, in group 0.',
  remediation: 'Use `USER 1001`: files it writes then belong to the UID that the content service uses.',
};

export const userRecommended: Rule = {
  info: recommended,
  check(context) {
    const { user, profile } = context;
    if (profile.recommendedUid === undefined || user.$case !== 'ok' || user.uid === 0) return [];
    const location = atConfig(context, 'User', 'USER');
    if (user.uid !== profile.recommendedUid)
      return [
        finding(
          recommended,
          'User',
          `UID ${profile.recommendedUid} is recommended; the user is UID ${user.uid}`,
          location,
        ),
      ];
    if (user.gids.includes(0)) return [];
    const message = `group 0 is recommended, in which any UID works; UID ${user.uid} has group ${user.gids.join(', ')}`;
    return [finding(recommended, 'User', message, location)];
  },
};
