import type { Group, List, Pipeline, Simple } from './ast.ts';

/** What holds for every command inside a compound command, a substitution or nested code. */
export interface Standing {
  /** Its failure is an answer: it stands in an `if`, a `while`, before `||` or behind `!`. */
  readonly tested: boolean;
  /** A failure at the end of the list ends the RUN. */
  readonly stops: boolean;
  /** The same of a success, which is what `!` makes of a failure; in a condition only. */
  readonly stopsOnSuccess: boolean;
  /** `exit 1` ends the RUN, and not a subshell whose failure is passed over. */
  readonly exits: boolean;
}

function* simpleCommands(list: List): Generator<Simple> {
  for (const { commands } of list)
    for (const command of commands) {
      if (command.kind === 'simple') yield command;
      else
        for (const body of command.kind === 'case' ? command.arms.map((arm) => arm.body) : command.bodies)
          yield* simpleCommands(body);
    }
}

/** How a list ends a script: by itself, or by an `exit` that passes on the failure that led to it. */
function ending(list: List): { hard: boolean; bare: boolean } {
  let first = true;
  let bare = false;
  for (const { words } of simpleCommands(list)) {
    const [program, status] = words;
    const name = program?.value.value;
    if (name === 'false') return { hard: true, bare };
    if (name === 'exit' || name === 'return') {
      if (status === undefined) bare ||= first;
      else if (status.value.value !== '0') return { hard: true, bare };
    }
    first = false;
  }
  return { hard: false, bare };
}

/** endsScript: exit or return with anything but 0, or false. */
export function endsScript(list: List): boolean {
  const { hard, bare } = ending(list);
  return hard || bare;
}

/** decision returns what the answer of condition `i` decides. */
export function decision(
  { keyword, conditions, bodies }: Group,
  i: number,
): Pick<Standing, 'stops' | 'stopsOnSuccess'> {
  // A loop `until` it succeeds goes no further either.
  if (keyword !== 'if') return { stops: keyword === 'until', stopsOnSuccess: keyword === 'while' };
  const otherwise = bodies.slice(i + 1);
  const hasElse = bodies.length > conditions.length;
  const [then = []] = bodies.slice(i, i + 1);
  return { stops: hasElse && otherwise.every(endsScript), stopsOnSuccess: endsScript(then) };
}

const joins = (operator: Pipeline['operator'] | undefined): boolean => operator === '&&' || operator === '||';

/** Outcomes tells what the failure of each pipeline of a list leads to, as shells evaluate `&&`, `||` and `set -e`. */
export class Outcomes {
  private readonly list: List;
  /** Index of the `||` part that a failure leads to, -1 for none. */
  private readonly rescue: number[];
  /** Index of the last pipeline joined by `&&` or `||`. */
  private readonly end: number[];
  /** What is joined from here on ends the script. */
  private readonly ends: boolean[];

  constructor(list: List) {
    this.list = list;
    this.rescue = list.map(() => -1);
    this.end = list.map((_, i) => i);
    this.ends = list.map(() => false);
    let hardBehind = false;
    for (let i = list.length - 1; i >= 0; i--) {
      const next = list[i + 1]?.operator;
      if (next === '||') this.rescue[i] = i + 1;
      if (next === '&&') this.rescue[i] = this.rescue[i + 1] ?? -1;
      if (joins(next)) this.end[i] = this.end[i + 1] ?? i;
      const { hard, bare } = ending(list.slice(i, i + 1));
      hardBehind = hard || (joins(next) && hardBehind);
      this.ends[i] = hardBehind || bare;
    }
  }

  /** What holds for the commands of pipeline `i`, in a list that stands so; `errexit`: `set -e` is on. */
  of(i: number, around: Standing, errexit: boolean): Standing {
    const { list } = this;
    const behind = (at: number): boolean => (this.ends[at] ?? false) && around.exits;
    const end = this.end[i] ?? i;
    const isLast = end === list.length - 1;
    const inside = { exits: around.exits, stopsOnSuccess: false };
    if (list[i]?.negated === true) {
      const stops = end > i ? list[i + 1]?.operator === '&&' && behind(i + 1) : isLast && around.stopsOnSuccess;
      return { ...inside, tested: true, stops };
    }
    const rescue = this.rescue[i] ?? -1;
    if (rescue >= 0) return { ...inside, tested: true, stops: behind(rescue) };
    // `set -e` looks at the last of a row of && only, and at nothing in a condition; `&` waits for no answer.
    const exits = errexit && !around.tested && end === i && around.exits;
    const waits = list[end + 1]?.operator !== '&';
    return { ...inside, tested: around.tested, stops: waits && (exits || (isLast && around.stops)) };
  }
}
