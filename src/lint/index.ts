export { lintDockerfile, lintRules, maxDockerfileBytes } from './lint.ts';
