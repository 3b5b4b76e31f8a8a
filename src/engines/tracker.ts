import { Lines, type Platform } from '../core/index.ts';
import { parseBuildKitName, type StepName } from './steps.ts';
import type { Trace, Vertex } from './buildkit/trace.ts';
import type { BuildEvent } from './types.ts';
import type { Failure } from './build-error.ts';

const keptLines = 40;

interface Known {
  readonly name: StepName;
  readonly lines: Lines;
  readonly log: string[];
  reported: 'nothing' | 'started' | 'ended';
  startedAt?: number | undefined;
}

/**
 * Tracker turns what an engine reports about its steps, in whatever order and how often, into
 * each step's events once, and keeps every step's last lines for the case that it fails.
 */
export class Tracker {
  readonly #platform: Platform;
  readonly #emit: (event: BuildEvent) => void;
  readonly #known = new Map<string, Known>();
  #failed: { known: Known; message: string } | undefined;

  constructor(platform: Platform, emit: (event: BuildEvent) => void) {
    this.#platform = platform;
    this.#emit = emit;
  }

  #step(id: string, name: StepName): Known {
    const known = this.#known.get(id) ?? { name, lines: new Lines(), log: [], reported: 'nothing' };
    this.#known.set(id, known);
    return known;
  }

  start(id: string, name: StepName, at?: number): void {
    const known = this.#step(id, name);
    if (known.reported !== 'nothing') return;
    known.reported = 'started';
    known.startedAt = at;
    this.#emit({ platform: this.#platform, ...known.name, $case: 'started' });
  }

  end(
    id: string,
    outcome: {
      cached?: boolean | undefined;
      at?: number | undefined;
      seconds?: number | undefined;
      error?: string | undefined;
    },
  ): void {
    const known = this.#known.get(id);
    if (known === undefined || known.reported === 'ended') return;
    known.reported = 'ended';
    for (const line of known.lines.end()) this.#line(known, line);
    const base = { platform: this.#platform, ...known.name };
    if (outcome.error !== undefined) {
      this.#failed ??= { known, message: outcome.error };
      this.#emit({ ...base, $case: 'error', message: outcome.error });
    } else if (outcome.cached === true) {
      this.#emit({ ...base, $case: 'cached' });
    } else {
      const seconds =
        outcome.seconds ??
        (outcome.at === undefined || known.startedAt === undefined ? undefined : outcome.at - known.startedAt);
      this.#emit({ ...base, $case: 'done', seconds });
    }
  }

  output(id: string, bytes: Uint8Array | string): void {
    const known = this.#known.get(id);
    if (known !== undefined) for (const line of known.lines.push(bytes)) this.#line(known, line);
  }

  #line(known: Known, line: string): void {
    known.log.push(line);
    if (known.log.length > keptLines) known.log.shift();
    this.#emit({ platform: this.#platform, ...known.name, $case: 'log', line });
  }

  trace(trace: Trace): void {
    for (const vertex of trace.vertexes) this.#vertex(vertex);
    for (const log of trace.logs) this.output(log.vertex, log.msg);
    // A failing step's last output may come in the same message as its end.
    for (const vertex of trace.vertexes) if (vertex.completed !== undefined) this.#end(vertex, vertex.completed);
  }

  #vertex(vertex: Vertex): void {
    if (vertex.started !== undefined) this.start(vertex.digest, parseBuildKitName(vertex.name), vertex.started);
  }

  #end(vertex: Vertex, at: number): void {
    this.end(vertex.digest, { cached: vertex.cached, at, error: vertex.error || undefined });
  }

  /** failure is the first step that failed, with the engine's final message where it says more. */
  failure(message: string): Failure {
    const failed = this.#failed;
    if (failed === undefined) return { message, log: [] };
    return { message: message === '' ? failed.message : message, step: failed.known.name, log: failed.known.log };
  }
}
