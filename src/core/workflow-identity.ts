/** GitHub's issuer, an enterprise's own below it, and GitHub Enterprise Server's. */
const isGitHub = (issuer: string): boolean =>
  /^https:\/\/token\.actions\.githubusercontent\.com(?:\/|$)|\/_services\/token\/?$/.test(issuer);

/** A file of CI and its ref, as GitHub's and GitLab's certificates name it; no e-mail address. */
const isFileAtRef = (identity: string): boolean => /^https?:\/\/[^@]+@./.test(identity);

/**
 * namesWorkflow returns whether signers are workflows. Such an identity names the file that signed, not who ran it: a
 * public repository's reusable workflow can be called by every other one, whose certificate then holds this identity
 * (`job_workflow_ref`; docs.github.com, "OpenID Connect reference").
 */
export const namesWorkflow = (issuer: string, identities: readonly string[]): boolean =>
  isGitHub(issuer) || identities.some(isFileAtRef);
