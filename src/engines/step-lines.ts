import { Lines } from '../core/index.ts';
import { parseBuildahStep } from './steps.ts';
import type { Tracker } from './tracker.ts';

/** Layer ids and the verdict, which is reported once, as the step's error. */
const noise = /^--> [0-9a-f]{8,}$|^[Ee]rror: building at STEP /;

/**
 * StepLines reads what Buildah and Podman print while they build: `STEP 2/5: RUN make`, the step's
 * own output, `--> Using cache <id>`. A step ends where the next one begins.
 */
export class StepLines {
  readonly #tracker: Tracker;
  readonly #lines = new Lines();
  #open: string | undefined;

  constructor(tracker: Tracker) {
    this.#tracker = tracker;
  }

  push(text: Uint8Array | string): void {
    for (const line of this.#lines.push(text)) this.line(line);
  }

  line(line: string): void {
    const step = parseBuildahStep(line);
    if (step !== undefined) {
      this.#close({});
      this.#open = `${step.stage ?? ''}/${step.step ?? 0}`;
      this.#tracker.start(this.#open, step);
    } else if (this.#open !== undefined) {
      if (line.startsWith('--> Using cache')) this.#close({ cached: true });
      else if (/^(?:\[\d+\/\d+\] )?COMMIT /.test(line)) this.#close({});
      else if (!noise.test(line)) this.#tracker.output(this.#open, `${line}\n`);
    }
  }

  #close(outcome: { cached?: boolean | undefined; error?: string | undefined }): void {
    if (this.#open !== undefined) this.#tracker.end(this.#open, outcome);
    this.#open = undefined;
  }

  /** end closes the last step, as failed when the build was. */
  end(error?: string): void {
    for (const line of this.#lines.end()) this.line(line);
    this.#close({ error });
  }
}
