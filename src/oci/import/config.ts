import type { Digest, HistoryEntry, ImageConfig } from '../../core/index.ts';
import { parseImageConfig, readJson } from '../../core/index.ts';

/** Members that describe the build and the builder, not the image; they differ between engines. */
const residue = /^(?:container|container_config|docker_version|id|parent|Size|moby\.buildkit\..*)$/;

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Keys in order, at every depth. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value as Readonly<Record<string, Json>>);
  return Object.fromEntries(
    members.sort(([one], [other]) => (one < other ? -1 : 1)).map(([key, member]) => [key, sorted(member)]),
  );
}

/** Docker writes `"Volumes": null, "Tty": false`, Podman `"Volumes": {}, "OnBuild": []`, Buildah nothing. */
const says = (value: Json): boolean =>
  value !== null && value !== false && value !== '' && (typeof value !== 'object' || Object.keys(value).length > 0);

/** The same said shorter. */
function spoken(record: Readonly<Record<string, Json>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(record).filter(([, member]) => says(member)));
}

/** Settings of Windows images that Docker 20.10 writes for Linux, too, and of the container that Podman built in. */
const foreign = /^(?:ArgsEscaped|Hostname|Domainname)$/;

const isRecord = (value: Json | undefined): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 3339 in UTC with whole seconds. */
export function timestamp(epoch: number): string {
  return new Date(epoch * 1000).toISOString().replace('.000Z', 'Z');
}

export interface ConfigFacts {
  /** The engine's document, already validated. */
  readonly bytes: Uint8Array;
  readonly base?: ImageConfig | undefined;
  readonly epoch: number;
  /** One for each layer of the engine's image; undefined for a layer that was dropped as empty. */
  readonly diffIds: readonly (Digest | undefined)[];
  /** The instructions after FROM, as the Dockerfile says them; each engine words them its own way. */
  readonly instructions?: readonly string[] | undefined;
  /** Labels that the Dockerfile sets to literals. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** The label that Buildah sets by itself, over the Dockerfile's value, and that its cached layers keep. */
const builderLabel = 'io.buildah.version';

/** The image's settings without what a builder put there: Windows' members, and a label of its own. */
function settings(runtime: Readonly<Record<string, Json>>, facts: ConfigFacts): Record<string, Json> {
  const kept = spoken(Object.fromEntries(Object.entries(runtime).filter(([key]) => !foreign.test(key))));
  const labels = kept['Labels'];
  if (!isRecord(labels) || labels[builderLabel] === undefined) return kept;
  const { [builderLabel]: _builder, ...rest } = labels;
  const meant = facts.labels?.[builderLabel] ?? facts.base?.config?.Labels?.[builderLabel];
  return { ...kept, Labels: meant === undefined ? rest : { ...rest, [builderLabel]: meant } };
}

/**
 * The base's part of the history is the base's own; the rest gets the epoch, dropped layers their mark and,
 * where there is one entry for each instruction, the Dockerfile's words.
 */
function history(engine: readonly HistoryEntry[], facts: ConfigFacts, created: string): HistoryEntry[] {
  const own = facts.base?.history ?? [];
  const said = engine.length - own.length === facts.instructions?.length ? facts.instructions : undefined;
  let layer = 0;
  return engine.map((entry, index) => {
    const diffId = entry.empty_layer === true ? undefined : facts.diffIds[layer++];
    const inherited = own[index];
    if (inherited !== undefined && inherited.created_by === entry.created_by) return inherited;
    const { empty_layer: _engine, ...words } = entry;
    const instruction = said?.[index - own.length];
    const rest = instruction === undefined ? words : { created_by: instruction };
    return { ...rest, created, empty_layer: diffId === undefined ? true : undefined };
  });
}

/**
 * rewriteConfig returns the config as this project writes it: the engine's, members unknown here
 * included, but without traces of the build, with times at the epoch and the new layers' diffIDs.
 */
export function rewriteConfig(facts: ConfigFacts): Buffer {
  const engine = readJson(facts.bytes, 'image config') as Record<string, Json>;
  const parsed = parseImageConfig(facts.bytes);
  const created = timestamp(facts.epoch);
  const kept = spoken(Object.fromEntries(Object.entries(engine).filter(([key]) => !residue.test(key))));
  const runtime = kept['config'];
  if (isRecord(runtime)) kept['config'] = settings(runtime, facts);
  // arm64 is v8 unless it says otherwise, and only some engines say it.
  if (parsed.architecture === 'arm64' && parsed.variant === 'v8') Reflect.deleteProperty(kept, 'variant');
  const entries = parsed.history ?? [];
  const rewritten = {
    ...kept,
    created,
    rootfs: { type: 'layers', diff_ids: facts.diffIds.filter((diffId) => diffId !== undefined) },
    history: entries.length === 0 ? undefined : history(entries, facts, created),
  };
  return Buffer.from(JSON.stringify(sorted(rewritten as unknown as Json)));
}
