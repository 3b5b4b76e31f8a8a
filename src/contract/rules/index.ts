import type { RuleInfo } from '../../core/index.ts';
import type { CrossRule, Rule } from '../context.ts';
import { policyRules } from '../policy/index.ts';
import { waiverRules } from '../waivers.ts';
import { anyGroup, arbitraryUid, runtimeAccess } from './access.ts';
import { baseDigest, baseLayers } from './base.ts';
import { noCredentials } from './credentials.ts';
import { envForbidden, envHome, envRecommended, exposedPort, runnerTypeKnown } from './env.ts';
import { contractVersion, labelExpiry, labelInherited, labelRequired, labelUnread, labelValue } from './labels.ts';
import { noDanglingLinks, noWriteThroughLink } from './links.ts';
import { parityConfig, parityPaths, parityTools } from './parity.ts';
import { mcpCommands, mcpEnabled } from './mcp.ts';
import { requiredPath } from './paths.ts';
import { noFileCapabilities, noSetid, noWorldWritable } from './privileges.ts';
import { bridgesPresent, mainFile, pythonSame, pythonVersion, runnerPackage } from './python.ts';
import { sizeBudget, wastedBytes } from './size.ts';
import { entrypointKept, startCommand } from './start.ts';
import { userNonRoot, userRecommended } from './user.ts';

/** Every rule over one platform, in the order of the contract's sections. */
export const rules: readonly Rule[] = [
  exposedPort,
  pythonVersion,
  pythonSame,
  runnerPackage,
  requiredPath,
  mainFile,
  envHome,
  runtimeAccess,
  startCommand,
  entrypointKept,
  envForbidden,
  envRecommended,
  userNonRoot,
  userRecommended,
  arbitraryUid,
  anyGroup,
  runnerTypeKnown,
  bridgesPresent,
  noCredentials,
  noSetid,
  noFileCapabilities,
  noWorldWritable,
  baseLayers,
  baseDigest,
  contractVersion,
  labelRequired,
  labelValue,
  labelInherited,
  labelUnread,
  labelExpiry,
  noDanglingLinks,
  noWriteThroughLink,
  sizeBudget,
  wastedBytes,
  mcpCommands,
  mcpEnabled,
  ...policyRules,
];

/** Every rule over all platforms together. */
export const crossRules: readonly CrossRule[] = [parityConfig, parityPaths, parityTools];

/** ruleInfos describes every finding that this room can give, for help, SARIF and documentation. */
export const ruleInfos: readonly RuleInfo[] = [
  ...rules.map(({ info }) => info),
  ...crossRules.map(({ info }) => info),
  ...waiverRules,
];
