import type { List, Variable } from './shell/ast.ts';
import type { Position, Text } from './text.ts';
import type { DockerVariable, DockerWord } from './words.ts';

/** A `--name=value` before an instruction's arguments. */
export interface Flag {
  readonly name: string;
  readonly value: DockerWord;
}

/** Heredoc of COPY and ADD: a file written out in the Dockerfile. */
export interface InlineFile {
  readonly name: string;
  readonly body: Text;
}

/** Shell code of an instruction. */
export interface Script {
  /** `run`: at build time; `start`: CMD, ENTRYPOINT, HEALTHCHECK; `file`: a script written by COPY <<EOF. */
  readonly when: 'run' | 'start' | 'file';
  readonly list: List;
  /** `sh`, `bash`, … as SHELL or the exec form say. */
  readonly shell: string;
  /** pipefail is on from the start (`SHELL ["/bin/bash", "-o", "pipefail", "-c"]`). */
  readonly pipefail: boolean;
  readonly text: Text;
}

export interface Instruction {
  /** Upper case. For ONBUILD this is the trigger's keyword. */
  readonly keyword: string;
  readonly onbuild: boolean;
  readonly offset: number;
  /** First and last line, 1-based. */
  readonly firstLine: number;
  readonly lastLine: number;
  /** Arguments behind the flags, continued lines joined, comments dropped, here-document bodies left out. */
  readonly text: Text;
  readonly flags: readonly Flag[];
  /** Split words; of the exec form the array's strings. */
  readonly words: readonly DockerWord[];
  readonly exec: boolean;
  readonly files: readonly InlineFile[];
  readonly script?: Script | undefined;
  /** Why the shell code could not be read. */
  readonly unreadable?: { readonly reason: string; readonly offset: number } | undefined;
}

export interface Stage {
  readonly index: number;
  readonly name?: string | undefined;
  readonly from: Instruction;
  /** Word of FROM that names the image or stage. */
  readonly base?: DockerWord | undefined;
  /** The earlier stage it stands on. */
  readonly parent?: Stage | undefined;
  /** Without FROM. */
  readonly instructions: readonly Instruction[];
}

export interface Comment {
  readonly line: number;
  readonly text: string;
  readonly offset: number;
}

export interface Model {
  readonly file: string;
  readonly source: string;
  readonly escape: string;
  readonly directives: readonly { readonly name: string; readonly value: string; readonly offset: number }[];
  readonly comments: readonly Comment[];
  /** ARGs before the first FROM, and whatever else stands there by mistake. */
  readonly preamble: readonly Instruction[];
  readonly stages: readonly Stage[];
  readonly position: (offset: number) => Position;
}

export type AnyVariable = Variable | DockerVariable;

/** allInstructions gives every instruction in the file's order, FROM included. */
export function* allInstructions(model: Model): Generator<{ instruction: Instruction; stage: Stage | undefined }> {
  for (const instruction of model.preamble) yield { instruction, stage: undefined };
  for (const stage of model.stages) {
    yield { instruction: stage.from, stage };
    for (const instruction of stage.instructions) yield { instruction, stage };
  }
}

/** lineage gives the stage and those it stands on, lowest first. */
export function lineage(stage: Stage): Stage[] {
  const stages: Stage[] = [];
  for (let at: Stage | undefined = stage; at !== undefined; at = at.parent) stages.unshift(at);
  return stages;
}

/** history gives every instruction that shaped the stage before `until`, those of its parent stages first. */
export function history(stage: Stage, until?: Instruction): Instruction[] {
  const all = lineage(stage).flatMap((one) => [...one.instructions]);
  const end = until === undefined ? -1 : all.indexOf(until);
  return (end < 0 ? all : all.slice(0, end)).filter((instruction) => !instruction.onbuild);
}
