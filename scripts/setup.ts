import { AppError, exitCodes, renderError } from '../src/errors/index.ts';
import { createHost } from '../src/host/index.ts';
import { prepare, readDistribution } from '../src/lab/setup/install.ts';

/** Installs what demo and test run for real (src/lab/setup/needs.ts), and says which release it is on. */
const host = createHost();
try {
  const distribution = await readDistribution(host);
  process.stdout.write(`${distribution.name}, Node ${process.versions.node}\n`);
  await prepare(host, distribution);
} catch (error) {
  process.stderr.write(`${renderError(error)}\n`);
  process.exitCode = error instanceof AppError ? error.exit : exitCodes.machine;
}
