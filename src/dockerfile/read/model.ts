import type { Cut } from './cut.ts';
import type { Heredoc } from './heredocs.ts';
import type { Position, Text } from './text.ts';
import type { DockerWord } from './words.ts';

/** A `--name=value` before an instruction's arguments. */
export interface Flag {
  readonly name: string;
  readonly value: DockerWord;
}

/** One name of an ARG, ENV or LABEL. */
export interface Declared {
  readonly name: string;
  /** undefined for an ARG without a default. */
  readonly value: DockerWord | undefined;
  readonly offset: number;
}

export interface Instruction {
  /** Upper case. For ONBUILD this is the trigger's keyword. */
  readonly keyword: string;
  readonly onbuild: boolean;
  readonly offset: number;
  /** 1-based. */
  readonly firstLine: number;
  readonly lastLine: number;
  /** The whole instruction: continued lines joined, comments dropped, here-documents behind line breaks. */
  readonly written: string;
  /** Arguments behind the flags, without here-documents. */
  readonly text: Text;
  /** The same with here-documents: what a shell reads. */
  readonly code: Text;
  readonly flags: readonly Flag[];
  /** Arguments without their quotes; of the exec form the array's strings, of the shell form one word. */
  readonly words: readonly DockerWord[];
  /** Of ARG, ENV and LABEL what they set. */
  readonly declared: readonly Declared[];
  readonly exec: boolean;
  /** The first word of HEALTHCHECK in upper case, which `text` does not hold: CMD or NONE. */
  readonly type: string;
  /** Here-documents, those that name files of COPY and ADD as well as scripts. */
  readonly heredocs: readonly Heredoc[];
  /** Files that COPY and ADD take from here-documents. */
  readonly files: readonly Heredoc[];
  /** The SHELL in force. */
  readonly shell: readonly string[];
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

/** Model is a Dockerfile as it was read; places are offsets in `source`. */
export interface Model extends Cut {
  readonly source: string;
  /** ARGs before the first FROM, and whatever else stands there by mistake. */
  readonly preamble: readonly Instruction[];
  readonly stages: readonly Stage[];
  readonly position: (offset: number) => Position;
}

/** allInstructions returns every instruction in the file's order, FROM included. */
export function* allInstructions(model: Model): Generator<{ instruction: Instruction; stage: Stage | undefined }> {
  for (const instruction of model.preamble) yield { instruction, stage: undefined };
  for (const stage of model.stages) {
    yield { instruction: stage.from, stage };
    for (const instruction of stage.instructions) yield { instruction, stage };
  }
}

/** lineage returns the stage and those it stands on, lowest first. */
export function lineage(stage: Stage): Stage[] {
  const stages: Stage[] = [];
  for (let at: Stage | undefined = stage; at !== undefined; at = at.parent) stages.push(at);
  return stages.reverse();
}
