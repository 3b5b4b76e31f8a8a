export { lintDockerfile, lintRules, maxDockerfileBytes, type LintResult } from './lint.ts';
