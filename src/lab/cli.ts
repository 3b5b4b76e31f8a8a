/** `runner-image lab …` as a program of its own: scripts/lab.ts starts it from the sources. */
import { parseArgs } from 'node:util';
import { AppError, errorToJson, exitCodes, renderError } from '../errors/index.ts';
import { down } from './down.ts';
import { readLab, type EngineKind, type LabState } from './state.ts';
import { labPaths } from './paths.ts';
import { fetchTools } from './tools.ts';
import { isUp, up } from './up.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engines: { type: 'string', default: 'classic' },
    cache: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  },
});
const say = (line: string): void => {
  if (!values.quiet) process.stderr.write(`lab: ${line}\n`);
};

function parseEngines(text: string): EngineKind[] {
  return text.split(',').map((name) => {
    if (name === 'classic' || name === 'current') return name;
    throw new AppError('lab/engine', 'usage', `unknown engine ${JSON.stringify(name)}`, {
      expected: 'classic or current',
    });
  });
}

function describe(state: LabState): string {
  const rows = [
    ['docker', state.docker.classic],
    ['docker (current)', state.docker.current ?? 'not started (--engines classic,current)'],
    ['registry', `http://${state.registry}`],
    ['github.com', state.github],
    ['packages', state.packages],
    ['pins', state.pins],
    ['extra CA', state.extraCa],
    ['cache', state.cache],
  ];
  return rows.map(([name, value]) => `${(name ?? '').padEnd(17)} ${value ?? ''}`).join('\n');
}

async function main(): Promise<number> {
  const [action = 'status'] = positionals;
  if (action === 'up') {
    const state = await up({ engines: parseEngines(values.engines), say });
    process.stdout.write(`${values.json ? JSON.stringify(state, null, 2) : describe(state)}\n`);
    return exitCodes.clean;
  }
  if (action === 'down') {
    await down({ cache: values.cache });
    if (values.json) process.stdout.write('{"up": false}\n');
    else say(values.cache ? 'nothing is left, downloads included' : 'nothing is left but the downloads');
    return exitCodes.clean;
  }
  if (action === 'tools') {
    const tools = await fetchTools(labPaths().cache);
    const lines = Object.entries(tools).map(
      ([name, { path, version }]) => `${name.padEnd(10)} ${version.padEnd(20)} ${path}`,
    );
    process.stdout.write(`${values.json ? JSON.stringify(tools, null, 2) : lines.join('\n')}\n`);
    return exitCodes.clean;
  }
  const state = await readLab();
  const alive = state !== undefined && (await isUp(state));
  if (values.json) process.stdout.write(`${JSON.stringify({ up: alive, ...state }, null, 2)}\n`);
  else
    process.stdout.write(alive ? `${describe(state)}\n` : `the lab is ${state === undefined ? 'down' : 'not whole'}\n`);
  return alive ? exitCodes.clean : exitCodes.findings;
}

const code = await main().catch((error: unknown) => {
  process.stderr.write(`${renderError(error)}\n`);
  if (values.json) process.stdout.write(`${JSON.stringify({ error: errorToJson(error) })}\n`);
  return error instanceof AppError ? error.exit : exitCodes.machine;
});
process.exit(code);
