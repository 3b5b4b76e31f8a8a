import { join } from 'node:path';
import * as z from 'zod';
import { readYaml } from '../../config/document.ts';
import type { Host } from '../../host/index.ts';
import type { FirstSeenEntry } from '../../pins/bump/index.ts';
import type { Changes } from './overlay.ts';

export const firstSeenFile = 'images/first-seen.yaml';

/** Versions kept per pin: enough for a cooldown, and the file stays small. */
const keep = 8;

const schema = z.record(
  z.string(),
  z.record(
    z.string(),
    z.strictObject({ seen: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'must be YYYY-MM-DD'), identity: z.string() }),
  ),
);

const maxBytes = 1024 * 1024;

function parse(text: string, file: string): Map<string, Map<string, FirstSeenEntry>> {
  const { value } = readYaml(schema.nullable(), text, file);
  return new Map(Object.entries(value ?? {}).map(([pin, versions]) => [pin, new Map(Object.entries(versions))]));
}

/** FirstSeen is the committed record of versions whose upstream keeps no dates: pin → version → first sight. */
export class FirstSeen {
  readonly #entries: Map<string, Map<string, FirstSeenEntry>>;
  #changed = false;

  constructor(entries: Map<string, Map<string, FirstSeenEntry>>) {
    this.#entries = entries;
  }

  /** read reads the record; `proposed` is the text of one that is not merged yet, and absorbed. */
  static async read(host: Host, root: string, proposed?: string): Promise<FirstSeen> {
    const path = join(root, firstSeenFile);
    const exists = (await host.files.stat(path)) !== undefined;
    const text = exists ? await host.files.readText(path, maxBytes) : '';
    const record = new FirstSeen(parse(text, firstSeenFile));
    if (proposed !== undefined) record.absorb(proposed, `the proposed ${firstSeenFile}`);
    return record;
  }

  /**
   * absorb takes over sights that were recorded elsewhere and not merged yet (a proposal that waits for
   * review): else a version would be seen for the first time every week, and never be old enough.
   */
  absorb(text: string, from: string): void {
    for (const [pin, versions] of parse(text, from))
      for (const [version, { seen, identity }] of versions) {
        const known = this.get(pin, version);
        if (known !== undefined && (known.identity !== identity || known.seen <= seen)) continue;
        this.note(pin, version, identity, seen, known !== undefined);
      }
  }

  /** of returns what is recorded of these pins, as plain objects. */
  of(pins: readonly string[]): Record<string, Record<string, FirstSeenEntry>> {
    const all = pins.map((pin) => [pin, Object.fromEntries(this.#entries.get(pin) ?? [])] as const);
    return Object.fromEntries(all.filter(([, versions]) => Object.keys(versions).length > 0));
  }

  get(pin: string, version: string): FirstSeenEntry | undefined {
    return this.#entries.get(pin)?.get(version);
  }

  /** note keeps the first sight of these bytes; other bytes under the same version start anew. */
  note(pin: string, version: string, identity: string, today: string, earlier = false): void {
    const versions = this.#entries.get(pin) ?? new Map<string, FirstSeenEntry>();
    if (!earlier && versions.get(version)?.identity === identity) return;
    versions.delete(version);
    versions.set(version, { seen: today, identity });
    // The oldest sights go first; a Map keeps the order in which they came.
    for (const old of [...versions.keys()].slice(0, -keep)) versions.delete(old);
    this.#entries.set(pin, versions);
    this.#changed = true;
  }

  /** changes is what a bump writes of it: nothing, where nothing was seen for the first time. */
  changes(): Changes {
    const text = this.text();
    return text === undefined ? new Map() : new Map([[firstSeenFile, text]]);
  }

  /** The file's new text; undefined when nothing new was seen. */
  text(): string | undefined {
    if (!this.#changed) return undefined;
    const lines = [
      '# Written by `runner-image bump`: when a version was first seen whose registry keeps no dates. A',
      "# pin's cooldown counts from here, for exactly these bytes.",
    ];
    for (const [pin, versions] of [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
      lines.push(`${pin}:`);
      for (const [version, { seen, identity }] of versions)
        lines.push(`  '${version}': { seen: ${seen}, identity: '${identity}' }`);
    }
    return `${lines.join('\n')}\n`;
  }
}
