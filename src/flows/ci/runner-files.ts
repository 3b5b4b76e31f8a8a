import { AppError, shorten, visibleText } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';

const maxBytes = 4 * 1024 * 1024;

/** GitHub takes 1 MiB of a step; UTF-16 units, of which none takes more than 3 bytes. */
const maxSummary = 300_000;

/** The runner gives each step a file of its own and reads it when the step ends. */
async function append(host: Host, path: string, text: string): Promise<void> {
  const before = (await host.files.stat(path)) === undefined ? '' : await host.files.readText(path, maxBytes);
  await host.files.write(path, before + text);
}

/**
 * setOutputs sets a step's outputs (GITHUB_OUTPUT); elsewhere than on GitHub it does nothing. A value with a
 * line break could set outputs of its own, so it is refused with `ci/output`.
 */
export async function setOutputs(host: Host, outputs: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(outputs)) {
    if (!/^[a-z][a-z-]*$/.test(name) || /[\r\n]/.test(value))
      throw new AppError('ci/output', 'usage', `the output ${name} cannot be written`, {
        expected: 'one line',
        found: JSON.stringify(value.slice(0, 80)),
      });
  }
  const path = host.env['GITHUB_OUTPUT'];
  if (path === undefined || path === '') return;
  await append(
    host,
    path,
    Object.entries(outputs)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
}

/** summarise adds Markdown to the run's page (GITHUB_STEP_SUMMARY); elsewhere it does nothing. */
export async function summarise(host: Host, markdown: string): Promise<void> {
  const path = host.env['GITHUB_STEP_SUMMARY'];
  if (path === undefined || path === '') return;
  await append(host, path, `${shorten(visibleText(markdown), maxSummary)}\n\n`);
}
