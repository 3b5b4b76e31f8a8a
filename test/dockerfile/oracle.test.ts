import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allInstructions, readDockerfile, refusalsOf, type Instruction } from '../../src/dockerfile/index.ts';
import { argumentsOf } from '../../src/dockerfile/read/split.ts';
import type { Piece } from '../../src/dockerfile/read/cut.ts';
import { oracleCases } from './oracle/cases.ts';

interface Read {
  readonly keyword: string;
  readonly first: number;
  readonly last: number;
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly json?: boolean;
  readonly heredocs?: readonly { readonly name: string; readonly content: string }[];
  readonly refused?: boolean;
}

/** What main.go says of one Dockerfile. */
interface Answer {
  readonly fatal?: number;
  readonly error?: string;
  readonly escape?: string;
  readonly syntax?: string;
  readonly instructions?: readonly Read[];
}

const known = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
);

/** The arguments as BuildKit's parser has them: of ENV and LABEL name, value and what stands between. */
function args(piece: Piece, escape: string): string[] {
  const words = argumentsOf(piece, escape).map(({ value }) => value);
  if (piece.keyword === 'HEALTHCHECK') return piece.type === '' ? [] : [piece.type, ...words];
  if (piece.keyword !== 'ENV' && piece.keyword !== 'LABEL') return words;
  if (words.length > 0 && words[0]?.includes('=') !== true) {
    const [, name = '', value = ''] = /^([^\t\v\f\r ]*)[\t\v\f\r ]+(.*)$/s.exec(piece.rest.value) ?? [];
    return [name, value, ''];
  }
  return words.flatMap((word) => [word.replace(/=.*$/s, ''), word.replace(/^[^=]*=/, ''), '=']);
}

/** Our reading in the oracle's words. */
function readingOf(text: string): { syntax: string | undefined; escape: string; refused: number[]; list: Read[] } {
  const model = readDockerfile(text);
  const refused = new Set([...refusalsOf(model)].map(({ offset }) => model.position(offset).line));
  const instructions = new Map<number, Instruction>();
  const stageless = new Set<number>();
  for (const { instruction, stage } of allInstructions(model)) {
    instructions.set(instruction.firstLine, instruction);
    if (stage === undefined && instruction.keyword !== 'ARG') stageless.add(instruction.firstLine);
  }
  const list = model.pieces.map((piece): Read => {
    const line = model.position(instructions.get(piece.firstLine)?.offset ?? 0).line;
    const unknown = !known.has(piece.keyword);
    return {
      keyword: piece.onbuild && piece.keyword !== 'ONBUILD' ? `ONBUILD ${piece.keyword}` : piece.keyword,
      first: piece.firstLine,
      last: piece.lastLine,
      flags: [...piece.onbuildFlags, ...piece.flags].map(({ value }) => value),
      args: args(piece, model.escape),
      json: Array.isArray(piece.json),
      heredocs: piece.heredocs.map(({ name, body }) => ({ name, content: body.value })),
      refused:
        refused.has(line) ||
        (unknown && !piece.onbuild) ||
        (stageless.has(piece.firstLine) && piece.keyword !== 'FROM'),
    };
  });
  const syntax = model.directives.find(({ name }) => name === 'syntax')?.value;
  return { syntax, escape: model.escape, refused: [...refused], list };
}

const answers = readFileSync(`${import.meta.dirname}/oracle/answers.jsonl`, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Answer);

/** Of an unknown instruction BuildKit keeps no arguments. */
function comparable(one: Read): Read {
  const { first, last, refused = false } = one;
  // A chain of them is no instruction, however it is cut.
  const keyword = one.keyword.toUpperCase().replace(/^ONBUILD ONBUILD$/, 'ONBUILD');
  const unknown = keyword === 'ONBUILD' || !known.has(keyword.replace(/^ONBUILD /, ''));
  const type = keyword.endsWith('HEALTHCHECK');
  return {
    keyword,
    first,
    last,
    refused,
    flags: one.flags ?? [],
    args: unknown ? [] : (one.args ?? []).map((text, i) => (type && i === 0 ? text.toUpperCase() : text)),
    json: one.json === true,
    heredocs: one.heredocs ?? [],
  };
}

describe('the reader against BuildKit', () => {
  const cases = oracleCases(answers.length);

  it('is held against enough of both kinds', () => {
    expect(answers.length).toBeGreaterThanOrEqual(1_600);
    expect(answers.filter(({ error }) => error === undefined).length).toBeGreaterThan(1_000);
    expect(answers.filter(({ error }) => error !== undefined).length).toBeGreaterThan(100);
  });

  it('reads every Dockerfile as BuildKit does', () => {
    const different: unknown[] = [];
    for (const [i, text] of cases.entries()) {
      const answer = answers[i];
      if (answer === undefined) continue;
      const { syntax = '', escape, refused, list } = readingOf(text);
      const ours = [syntax, escape, ...list.map(comparable)].map((one) => JSON.stringify(one));
      const theirs = [answer.syntax ?? '', answer.escape ?? '', ...(answer.instructions ?? []).map(comparable)].map(
        (one) => JSON.stringify(one),
      );
      // It reads nothing of such a file: neither may we pass it.
      const passes = list.length > 0 && refused.length === 0 && list.every((one) => one.refused !== true);
      const same = answer.error === undefined ? ours.join() === theirs.join() : !passes;
      if (!same)
        different.push({
          text,
          ours: ours.filter((one) => !theirs.includes(one)),
          theirs: [answer.error ?? [], theirs.filter((one) => !ours.includes(one))].flat(),
        });
    }
    expect(different.slice(0, 8)).toEqual([]);
    expect(different).toHaveLength(0);
  });
});
