import { AppError, exitCodes, type ExitCode } from '../src/errors/index.ts';
import type { ImageRef } from '../src/core/index.ts';
import { attestSummary, summaryOf } from '../src/flows/trust/summary.ts';
import type { TreeReport } from '../src/flows/trust/verify-tree.ts';
import { localVerifier, type TrustPolicy } from '../src/sigstore/index.ts';
import { fromHere, printResult, stringOption, type Call } from './command.ts';
import { registryOf } from './registry.ts';
import { signingContextOf, signedText } from './trust.ts';
import { toolVersion } from './version.ts';

/**
 * summaryFile is where `verify --vsa` writes. What lies there is removed first: a summary of an earlier run must not be
 * taken for that of a run which could not tell.
 */
export async function summaryFile(call: Call): Promise<string | undefined> {
  const file = stringOption(call, 'vsa');
  if (file === undefined) return undefined;
  if ((call.args[0] ?? '').startsWith('oci:'))
    throw new AppError('cli/usage', 'usage', 'a verification summary names where the image is taken from', {
      expected: 'host/repository with --vsa',
      found: call.args[0],
    });
  await call.host.files.remove(fromHere(file));
  return fromHere(file);
}

/** writeSummary writes what was found, unsigned. */
export async function writeSummary(
  call: Call,
  file: string,
  { repo, report, policy }: { repo: ImageRef; report: TreeReport; policy: TrustPolicy },
): Promise<void> {
  // With options beside it, the file alone is not what was held against the image.
  const changed = ['sourceRepository', 'sourceCommit'].some((name) => call.options[name] !== undefined);
  const given = changed ? undefined : stringOption(call, 'policy');
  const statement = summaryOf(report, policy.nodes, {
    repository: `${repo.registry}/${repo.repository}`,
    verifier: stringOption(call, 'verifierId') ?? localVerifier,
    toolVersion: toolVersion(),
    time: call.host.clock.now(),
    policy: given === undefined ? JSON.stringify(policy) : await call.host.files.read(fromHere(given)),
  });
  await call.host.files.write(file, `${JSON.stringify(statement)}\n`);
}

/** signSummary is `attest --vsa`: nothing else is attested then. */
export async function signSummary(call: Call, ref: ImageRef, file: string): Promise<ExitCode> {
  const signed = await attestSummary(await signingContextOf(call, registryOf(call)), ref, fromHere(file));
  printResult(call, signed, signedText(signed));
  return exitCodes.clean;
}
