import { DockerfileParser, type Instruction as AstInstruction } from 'dockerfile-ast';
import { AppError } from '../errors/index.ts';
import { instructionOf, type Context, type Piece } from './instruction.ts';
import type { Instruction, Model, Stage } from './model.ts';
import { lineIndex, type Position } from './text.ts';

type AstRange = ReturnType<AstInstruction['getRange']>;
interface Heredocs {
  getHeredocs(): {
    getName(): string;
    getStartRange(): AstRange;
    /** Null, whatever its types say, when the file ends before the body. */
    getContentRange(): AstRange | null;
    getDelimiterRange(): AstRange;
  }[];
}

interface Trigger {
  getTriggerInstruction(): AstInstruction | null;
}

/** offsetOf turns dockerfile-ast's 0-based line and character into an offset. */
type OffsetOf = (position: AstRange['start']) => number;

function offsets(source: string): OffsetOf {
  const starts = [0];
  for (let i = source.indexOf('\n'); i >= 0; i = source.indexOf('\n', i + 1)) starts.push(i + 1);
  return ({ line, character }) => (starts[line] ?? source.length) + character;
}

/** True when `offset` stands inside quotes, counted from `from`. */
function insideQuotes(source: string, from: number, offset: number, escape: string): boolean {
  let quote = '';
  for (let i = from; i < offset; i++) {
    const c = source.charAt(i);
    if (c === escape && quote !== "'") i += 1;
    else if (quote === '' ? c === '"' || c === "'" : c === quote) quote = quote === '' ? c : '';
  }
  return quote !== '';
}

const maxRounds = 40;

/**
 * dockerfile-ast takes a `<<WORD` in quotes for a here-document and swallows what follows, which would
 * hide instructions from every rule. Such markers are masked (same length) and the text is read again.
 */
function parseAst(file: string, source: string): ReturnType<typeof DockerfileParser.parse> {
  const offsetOf = offsets(source);
  let masked = source;
  for (let round = 0; round < maxRounds; round++) {
    const ast = DockerfileParser.parse(masked);
    let again = false;
    for (const instruction of ast.getInstructions()) {
      for (const heredoc of heredocsOf(instruction)) {
        const at = offsetOf(heredoc.getStartRange().start);
        if (!insideQuotes(source, offsetOf(instruction.getRange().start), at, ast.getEscapeCharacter())) continue;
        masked = `${masked.slice(0, at)}__${masked.slice(at + 2)}`;
        again = true;
      }
    }
    if (!again) return ast;
  }
  throw new AppError('dockerfile/not-a-dockerfile', 'usage', 'this Dockerfile cannot be read', {
    where: { file },
    expected: `at most ${maxRounds} instructions with << in quotes`,
    found: 'more than that',
  });
}

function heredocsOf(instruction: AstInstruction): ReturnType<Heredocs['getHeredocs']> {
  return 'getHeredocs' in instruction ? (instruction as unknown as Heredocs).getHeredocs() : [];
}

function pieceOf(instruction: AstInstruction, offsetOf: OffsetOf): Piece {
  const range = instruction.getRange();
  const name = instruction.getInstructionRange();
  const atEnd = { start: range.end, end: range.end };
  return {
    keyword: instruction.getKeyword(),
    begin: offsetOf(range.start),
    argumentsBegin: offsetOf(name.end),
    end: offsetOf(range.end),
    firstLine: range.start.line + 1,
    lastLine: range.end.line + 1,
    heredocs: heredocsOf(instruction).map((heredoc) => ({
      name: heredoc.getName(),
      begin: offsetOf((heredoc.getContentRange() ?? atEnd).start),
      end: offsetOf((heredoc.getContentRange() ?? atEnd).end),
    })),
  };
}

function readInstruction(ast: AstInstruction, context: Context, offsetOf: OffsetOf): Instruction {
  if (ast.getKeyword() !== 'ONBUILD') return instructionOf(pieceOf(ast, offsetOf), context, false);
  const trigger = (ast as unknown as Trigger).getTriggerInstruction();
  if (trigger === null) return instructionOf(pieceOf(ast, offsetOf), context, true);
  const whole = pieceOf(ast, offsetOf);
  const inner = pieceOf(trigger, offsetOf);
  return instructionOf(
    {
      ...inner,
      begin: whole.begin,
      firstLine: whole.firstLine,
      end: whole.end,
      lastLine: whole.lastLine,
      heredocs: inner.heredocs.length > 0 ? inner.heredocs : whole.heredocs,
    },
    context,
    true,
  );
}

/** readDockerfile reads any text; what is no Dockerfile gives a model without stages. */
export function readDockerfile(file: string, source: string): Model {
  const ast = parseAst(file, source);
  const offsetOf = offsets(source);
  const escape = ast.getEscapeCharacter();
  const position: (offset: number) => Position = lineIndex(source);
  const preamble: Instruction[] = [];
  const stages: (Stage & { readonly instructions: Instruction[] })[] = [];
  const context: Context = { source, escape };
  for (const raw of ast.getInstructions()) {
    const parsed = readInstruction(raw, context, offsetOf);
    if (parsed.keyword === 'FROM' && !parsed.onbuild) {
      // SHELL holds for one stage; a stage that stands on another inherits it.
      const stage = stageOf(parsed, stages);
      const inherited = stage.parent === undefined ? undefined : shellOf(stage.parent);
      if (inherited === undefined) delete context.shell;
      else context.shell = inherited;
      stages.push(stage);
      continue;
    }
    if (parsed.keyword === 'SHELL' && parsed.exec) context.shell = parsed.words.map((word) => word.text.value);
    const stage = stages.at(-1);
    if (stage === undefined) preamble.push(parsed);
    else stage.instructions.push(parsed);
  }
  return {
    file,
    source,
    escape,
    directives: ast.getDirectives().map((directive) => ({
      name: directive.getName().toLowerCase(),
      value: directive.getValue(),
      offset: offsetOf(directive.getRange().start),
    })),
    comments: ast.getComments().map((comment) => ({
      line: comment.getRange().start.line + 1,
      text: comment.getContent(),
      offset: offsetOf(comment.getRange().start),
    })),
    preamble,
    stages,
    position,
  };
}

function shellOf(stage: Stage): readonly string[] | undefined {
  const last = stage.instructions.findLast((instruction) => instruction.keyword === 'SHELL' && instruction.exec);
  if (last !== undefined) return last.words.map((word) => word.text.value);
  return stage.parent === undefined ? undefined : shellOf(stage.parent);
}

function stageOf(from: Instruction, earlier: readonly Stage[]): Stage & { readonly instructions: Instruction[] } {
  const [base, as, name] = from.words;
  const alias = as?.text.value.toUpperCase() === 'AS' ? name?.text.value : undefined;
  const wanted = base?.text.value.toLowerCase();
  const parent = earlier.findLast((stage) => stage.name !== undefined && stage.name.toLowerCase() === wanted);
  return {
    index: earlier.length,
    from,
    instructions: [],
    name: alias,
    base,
    parent,
  };
}
