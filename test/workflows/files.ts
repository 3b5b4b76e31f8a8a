import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from '../dockerfile/definitions.ts';

export interface Step {
  readonly name?: string;
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Job {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** A reusable workflow instead of steps. */
  readonly uses?: string;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly steps?: readonly Step[];
}

export interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

export interface Source {
  /** Relative to the project. */
  readonly file: string;
  readonly text: string;
}

const folder = '.github/workflows';
const read = (file: string): Source => ({ file, text: readFileSync(join(root, file), 'utf8') });

export const workflowFiles: readonly Source[] = readdirSync(join(root, folder)).map((name) =>
  read(`${folder}/${name}`),
);
export const actionFiles: readonly Source[] = readdirSync(join(root, '.github/actions')).map((name) =>
  read(`.github/actions/${name}/action.yml`),
);

export const workflowOf = ({ text }: Source): Workflow => parse(text) as Workflow;
export const stepsOf = (source: Source): readonly Step[] => {
  const value = parse(source.text) as { jobs?: Workflow['jobs']; runs?: { steps: readonly Step[] } };
  return value.runs?.steps ?? Object.values(value.jobs ?? {}).flatMap(({ steps = [] }) => steps);
};
