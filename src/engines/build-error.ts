import { AppError } from '../errors/index.ts';
import type { BuildRequest } from './types.ts';
import { isLimitRefused } from './limits.ts';
import { locateStep } from './locate.ts';
import { reasonOf } from './reason.ts';
import type { StepName } from './steps.ts';

/** What an engine reports about a build that failed. */
export interface Failure {
  readonly message: string;
  readonly step?: StepName | undefined;
  /** The failing step's last lines of output. */
  readonly log: readonly string[];
}

const emulationHint =
  'install emulation (apt-get install qemu-user-static binfmt-support), or build that platform on its own machine: --endpoint PLATFORM=ssh://…';

/** missingEmulation is thrown before a build when the engine lists its platforms, otherwise after it. */
export function missingEmulation(platform: string, engine: string, found?: string): AppError {
  return new AppError('engines/no-emulation', 'machine', `${engine} cannot run ${platform}`, {
    expected: `an engine that runs ${platform}, natively or emulated`,
    found,
    hint: emulationHint,
  });
}

/** diskFull is the error of a disk without room; `where` is the engine or path that said so. */
export function diskFull(where: string, cause?: unknown): AppError {
  return new AppError('engines/disk-full', 'machine', `the disk is full: ${where}`, {
    expected: 'some 10 GB free for two platforms',
    hint: 'docker system prune --volumes=false (or buildah prune), then run the same command again',
    cause,
  });
}

/** engineDied is the error of a connection that ended before the build did. */
export function engineDied(engine: string, cause?: unknown): AppError {
  return new AppError('engines/died', 'machine', `${engine} disconnected during the build`, {
    expected: 'the engine to finish the build or to say why not',
    found: 'the connection ended',
    hint: 'look at its log (journalctl -u docker -n 50), start it again and run the same command; finished steps are cached',
    cause,
  });
}

const network =
  /could not resolve|couldn'?t resolve|temporary failure in name resolution|no such host|connection (?:refused|reset|timed out)|i\/o timeout|network is unreachable|tls handshake|x509:|certificate|SELF_SIGNED_CERT|UNABLE_TO_(?:GET|VERIFY)|toomanyrequests|too many requests|\b(?:429|50[0234])\b.*(?:status|error|gateway|unavailable)|status(?: code)?:? (?:401|403|404|429|5\d\d)|failed to (?:resolve|do request|fetch)|manifest unknown|pull access denied|unauthorized|checksum.*(?:mismatch|did NOT match)|unexpected EOF|ETIMEDOUT|ECONNRESET|ENOTFOUND|EAI_AGAIN/i;

/** BuildKit's frontend names the line of what it cannot parse. */
function parseErrorLine(message: string): number | undefined {
  const line = /parse error (?:on )?line (\d+)/.exec(message)?.[1];
  return line === undefined ? undefined : Number(line);
}

function limitRefused(platform: string, engine: string, found: string): AppError {
  return new AppError('engines/limit-refused', 'machine', `${engine} may not raise a limit for ${platform}'s steps`, {
    expected: 'limits for open files and processes (RLIMIT_NOFILE, RLIMIT_NPROC) that the engine may set',
    found,
    hint: "give the engine's service higher limits (LimitNOFILE=, LimitNPROC=), or lower what it asks for: default_ulimits in containers.conf(5)",
  });
}

/** What `sha256sum -c` prints: the upstream gave other bytes than those that were pinned. */
const checksum = /: FAILED(?: open or read)?$|checksum.*did NOT match/m;

const otherBytes =
  'the download is not what was pinned: look at who changed it, a mirror, a proxy or the upstream, before any pin is';

/**
 * buildFailed turns an engine's failure into one error with the Dockerfile's line and the last
 * lines of output. A full disk, a refused limit and missing emulation are the machine's (exit 4), what looks
 * like a network or an upstream is 3, and everything else is the Dockerfile's (2).
 */
export function buildFailed(request: BuildRequest, engine: string, failure: Failure): AppError {
  const everything = [failure.message, ...failure.log].join('\n');
  if (/no space left on device|ENOSPC|disk quota exceeded/i.test(everything))
    return diskFull(`${engine} said so while building ${request.platform}`, new Error(failure.message));
  if (/exec format error/i.test(everything)) return missingEmulation(request.platform, engine, 'exec format error');
  const reason = [reasonOf(failure.message, failure.step?.name), ...failure.log.slice(-20)].join('\n    ');
  if (isLimitRefused(everything)) return limitRefused(request.platform, engine, reason);
  const line =
    failure.step === undefined ? parseErrorLine(failure.message) : locateStep(request.dockerfile.text, failure.step);
  const step = failure.step;
  const place =
    step?.step === undefined
      ? ''
      : ` step ${step.step}/${step.total ?? '?'}${step.stage === undefined ? '' : ` of ${step.stage}`}`;
  // Whatever the words, a base image that does not come is the registry's.
  const pulling = /^(?:\[internal\] load metadata|FROM |resolve image config)/.test(step?.name ?? '');
  const upstream = pulling || network.test(everything) || checksum.test(everything);
  return new AppError(
    upstream ? 'engines/step-upstream' : 'engines/step-failed',
    upstream ? 'upstream' : 'usage',
    `${request.platform}:${place} failed: ${(step?.name ?? failure.message).slice(0, 400)}`,
    {
      where: { file: request.dockerfile.path, line },
      found: reason,
      hint: !upstream
        ? 'the lines above are the step’s own last output'
        : checksum.test(everything)
          ? otherBytes
          : 'reach the upstream (proxy: --extra-ca, mirrors: --mirrors), or use `make demo`, which needs none',
    },
  );
}
