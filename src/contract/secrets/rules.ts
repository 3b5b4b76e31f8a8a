import type { SecretRule } from '../../core/index.ts';
import { isDockerAuth, isJwt, isUserInfo, looksRandom } from './plausible.ts';

/** Files that hold settings: formats that are common in prose and code count only here. */
const settings =
  /(?:^\/(?:root|home|etc|app|sandbox|run|var\/run|opt)\/(?:.*\/)?|\/)(?:\.git\/config|\.gitconfig|\.git-credentials|\.npmrc|npmrc|\.yarnrc(?:\.yml)?|pip\.conf|\.pypirc|\.netrc|_netrc|\.env(?:\.[\w-]+)?|[\w.-]+\.env|[\w.-]+\.repo|settings\.json|config\.json|\.dockerconfigjson|uv\.toml|\.bashrc|\.profile|\.bash_history|environment)$/;
const netrc = /\/[._]netrc$/;

/** Four characters at least: a search skips ahead by the length of the shortest literal. */
const letters = Array.from({ length: 26 }, (_, n) => [65 + n, 97 + n]).flatMap((codes) =>
  codes.map((code) => String.fromCharCode(code)),
);

const random =
  (distinct?: number) =>
  (match: string): boolean =>
    looksRandom(match, distinct);

/**
 * secretRules is the maintained set (contract section 8). Each is a format with a fixed literal,
 * so that a hit means something; what only resembles a password is left to review. Sources: each
 * issuer's own description of its token format.
 */
export const secretRules: readonly SecretRule[] = [
  {
    id: 'private-key',
    summary: 'PEM or OpenSSH private key',
    literals: ['PRIVATE KEY-----'],
    // A header alone is what every TLS library contains; a key has at least a line of base64 below it.
    pattern:
      /-----BEGIN (?:(?:RSA|EC|DSA|OPENSSH|ENCRYPTED) )?PRIVATE KEY-----(?:\\r|\\n|\s)+(?:[A-Za-z-]+: [^\r\n\\]{1,80}(?:\\r|\\n|\s)+){0,4}[A-Za-z0-9+/]{40}/g,
    reach: 512,
    accept: (match) => looksRandom(match.slice(-40), 10),
    show: 0,
  },
  {
    id: 'pgp-private-key',
    summary: 'PGP private key',
    literals: ['PGP PRIVATE KEY BLOCK-----'],
    pattern: /-----BEGIN PGP PRIVATE KEY BLOCK-----(?:\\n|\s)+(?:[A-Za-z]+: [^\n]{1,80}\n)*\s*[A-Za-z0-9+/]{40}/g,
    reach: 512,
    show: 0,
  },
  {
    id: 'age-key',
    summary: 'age secret key',
    literals: ['AGE-SECRET-KEY-1'],
    pattern: /AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}/g,
    reach: 80,
    accept: random(),
    show: 15,
  },
  {
    id: 'aws-access-key-id',
    summary: 'AWS access key id',
    literals: ['AKIA', 'ASIA'],
    pattern: /(?<![A-Za-z0-9+/=_-])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9+/=_-])/g,
    reach: 24,
    accept: random(9),
    show: 4,
  },
  {
    id: 'aws-secret-key',
    summary: 'AWS secret access key',
    literals: ['aws_secret_access_key', 'AWS_SECRET_ACCESS_KEY', 'aws_session_token'],
    pattern: /aws_(?:secret_access_key|session_token)["']?\s*[=:]\s*["']?[A-Za-z0-9/+]{40,}={0,2}/gi,
    reach: 1200,
    accept: (match) => looksRandom(match.slice(-40), 15),
    show: 21,
  },
  {
    id: 'azure-storage-key',
    summary: 'Azure storage account key',
    literals: ['AccountKey='],
    pattern: /AccountKey=[A-Za-z0-9+/]{86}==/g,
    reach: 120,
    accept: random(20),
    show: 11,
  },
  {
    id: 'google-api-key',
    summary: 'Google API key',
    literals: ['AIza'],
    pattern: /(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/g,
    reach: 48,
    accept: random(),
    show: 4,
  },
  {
    id: 'google-oauth-token',
    summary: 'Google OAuth access token or client secret',
    literals: ['ya29.', 'GOCSPX-'],
    pattern: /(?<![A-Za-z0-9_-])(?:ya29\.[A-Za-z0-9_-]{60,1000}|GOCSPX-[A-Za-z0-9_-]{28}(?![A-Za-z0-9_-]))/g,
    reach: 1100,
    accept: random(),
    show: 5,
  },
  {
    id: 'github-token',
    summary: 'GitHub token',
    literals: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    pattern:
      /(?<![A-Za-z0-9_])(?:gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})(?![A-Za-z0-9_])/g,
    reach: 272,
    accept: random(),
    show: 4,
  },
  {
    id: 'gitlab-token',
    summary: 'GitLab token',
    literals: ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-', 'glsoat-'],
    pattern: /(?<![A-Za-z0-9_-])gl(?:pat|dt|rt|ptt|cbt|soat)-[A-Za-z0-9_-]{20,64}(?:\.[a-z0-9]{2}\.[a-z0-9]{9})?/g,
    reach: 96,
    accept: random(),
    show: 6,
  },
  {
    id: 'npm-token',
    summary: 'npm access token',
    literals: ['npm_'],
    pattern: /(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9_])/g,
    reach: 48,
    accept: random(14),
    show: 4,
  },
  {
    id: 'npmrc-auth',
    summary: 'npm registry credential',
    literals: ['_authToken', '_password', '_auth'],
    pattern: /:_(?:authToken|password|auth)\s*=\s*["']?[A-Za-z0-9+/=_.-]{16,}/g,
    reach: 512,
    paths: settings,
    accept: random(10),
    show: 6,
  },
  {
    id: 'pypi-token',
    summary: 'PyPI token',
    literals: ['pypi-AgEIcHlwaS5vcmc', 'pypi-AgENdGVzdC5weXBpLm9yZw'],
    pattern: /pypi-AgE(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw)[A-Za-z0-9_-]{50,1000}/g,
    reach: 1100,
    accept: random(16),
    show: 5,
  },
  {
    id: 'anthropic-key',
    summary: 'Anthropic key',
    literals: ['sk-ant-'],
    pattern: /(?<![A-Za-z0-9_-])sk-ant-[a-z]{2,8}[0-9]{2}-[A-Za-z0-9_-]{80,160}/g,
    reach: 200,
    accept: random(20),
    show: 7,
  },
  {
    id: 'openai-key',
    summary: 'OpenAI key',
    // Every key since 2020 carries this middle part; it is `OpenAI` in base64.
    literals: ['T3BlbkFJ'],
    pattern: /(?<![A-Za-z0-9_-])sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,90}T3BlbkFJ[A-Za-z0-9_-]{20,90}/g,
    reach: 220,
    accept: random(20),
    show: 3,
  },
  {
    id: 'slack-token',
    summary: 'Slack token or webhook',
    literals: ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xapp-', 'hooks.slack.com/services/'],
    pattern:
      /xox[abprs]-[0-9]{8,14}-[A-Za-z0-9-]{20,200}|xapp-[0-9]-[A-Z0-9]{8,14}-[0-9]{8,14}-[a-f0-9]{64}|hooks\.slack\.com\/services\/T[A-Z0-9]{8,12}\/B[A-Z0-9]{8,12}\/[A-Za-z0-9]{24}/g,
    reach: 260,
    accept: random(10),
    show: 5,
  },
  {
    id: 'huggingface-token',
    summary: 'Hugging Face token',
    literals: letters.map((letter) => `hf_${letter}`),
    pattern: /(?<![A-Za-z0-9_])hf_[A-Za-z]{34}(?![A-Za-z0-9_])/g,
    reach: 48,
    accept: random(14),
    show: 3,
  },
  {
    id: 'vault-token',
    summary: 'HashiCorp Vault token',
    literals: ['hvs.', 'hvb.'],
    pattern: /(?<![A-Za-z0-9_.])hv[sb]\.[A-Za-z0-9_-]{90,300}/g,
    reach: 320,
    accept: random(16),
    show: 4,
  },
  {
    id: 'stripe-key',
    summary: 'Stripe live key',
    literals: ['sk_live_', 'rk_live_'],
    pattern: /(?<![A-Za-z0-9_])[sr]k_live_[A-Za-z0-9]{24,120}/g,
    reach: 140,
    accept: random(),
    show: 8,
  },
  {
    id: 'openshift-token',
    summary: 'OpenShift OAuth token',
    literals: ['sha256~'],
    pattern: /(?<![A-Za-z0-9_-])sha256~[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/g,
    reach: 56,
    accept: random(16),
    show: 7,
  },
  {
    id: 'docker-auth',
    summary: 'registry credential of a docker config',
    literals: ['"auth"'],
    pattern: /"auth"\s*:\s*"[A-Za-z0-9+/]{8,4000}={0,2}"/g,
    reach: 4096,
    accept: isDockerAuth,
    show: 7,
  },
  {
    id: 'netrc',
    summary: 'password in .netrc',
    literals: ['password'],
    pattern: /(?:machine\s+\S+|default)\s+login\s+\S+\s+password\s+\S{4,}/g,
    reach: 512,
    paths: netrc,
    accept: random(8),
    show: 8,
  },
  {
    id: 'url-credentials',
    summary: 'user and password in a URL',
    literals: ['http://', 'https://', 'ssh://', 'git://', 'postgres', 'mysql://', 'redis://', 'amqp', 'mongodb'],
    pattern:
      /\b(?:https?|ssh|git|postgres(?:ql)?|mysql|redis|amqps?|mongodb(?:\+srv)?):\/\/[^\s:/@"'<>]{1,64}:[^\s/@"'<>]{4,256}@[\w.-]+/g,
    reach: 400,
    paths: settings,
    accept: isUserInfo,
    show: 8,
  },
  {
    id: 'jwt',
    summary: 'signed JSON Web Token',
    // A header's first member: alg, typ, kid, cty, jku, x5t, enc.
    literals: ['eyJhbGci', 'eyJ0eXAi', 'eyJraWQi', 'eyJjdHki', 'eyJqa3Ui', 'eyJ4NXQ', 'eyJlbmMi'],
    pattern: /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,6000}\.[A-Za-z0-9_-]{20,1400}/g,
    reach: 9600,
    accept: isJwt,
    show: 3,
  },
];
