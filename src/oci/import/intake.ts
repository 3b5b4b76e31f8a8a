import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { maxManifestBytes, type Digest } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import { sniff, type Compression } from '../decompress.ts';
import { toText, type TarEntry } from '../tar/entry.ts';
import { TarReader } from '../tar/reader.ts';

/** Member is one file of the engine's archive: a layer by its bytes, a small document, a link to either. */
export type Member<Layer> =
  | { readonly $case: 'layer'; readonly layer: Layer }
  | { readonly $case: 'document'; readonly bytes: Buffer; readonly digest: Digest }
  | { readonly $case: 'link'; readonly target: string }
  /** Too large for a document and no layer: an attestation, say. Only its digest is known. */
  | { readonly $case: 'other'; readonly digest: Digest; readonly size: number };

/** LayerTaker is whoever takes a layer's bytes while the archive streams by. */
export interface LayerTaker<Layer> {
  write(chunk: Buffer): Promise<void>;
  finish(): Promise<Layer>;
  discard(): Promise<void>;
}

export type OpenLayer<Layer> = (name: string, compression: Compression) => Promise<LayerTaker<Layer>>;

const maxMembers = 20_000;
const maxDocumentBytes = 64 * 1024 * 1024;

/** memberName cleans a name; one that leaves the archive is refused. */
function memberName(entry: TarEntry): string {
  const name = posix
    .normalize(toText(entry.name))
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/$/, '');
  if (name !== '..' && !name.startsWith('../')) return name;
  throw new AppError('oci/archive-path', 'upstream', "a member of the engine's archive lies outside of it", {
    found: JSON.stringify(name.slice(0, 200)),
  });
}

/** A tar header carries its magic at byte 257; V7 headers, which no engine writes, do not. */
const isTar = (start: Buffer): boolean => start.length >= 512 && start.toString('latin1', 257, 262) === 'ustar';
const isEmptyTar = (start: Buffer): boolean => start.length >= 512 && start.every((byte) => byte === 0);

/** MemberIntake decides by its first block what a member is, since names differ between engines. */
class MemberIntake<Layer> {
  private readonly openLayer: OpenLayer<Layer>;
  private readonly name: string;
  private start: Buffer = Buffer.alloc(0);
  private mode: LayerTaker<Layer> | 'document' | 'other' | undefined;
  private readonly parts: Buffer[] = [];
  private readonly hash = createHash('sha256');
  private size = 0;

  constructor(openLayer: OpenLayer<Layer>, name: string) {
    this.openLayer = openLayer;
    this.name = name;
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.mode === undefined) {
      this.start = Buffer.concat([this.start, chunk]);
      if (this.start.length < 512) return;
      await this.decide();
    } else {
      await this.take(chunk);
    }
  }

  private async decide(): Promise<void> {
    const compression = sniff(this.start);
    const layer = compression !== 'none' || isTar(this.start) || isEmptyTar(this.start.subarray(0, 512));
    this.mode = layer ? await this.openLayer(this.name, compression) : 'document';
    await this.take(this.start);
  }

  private async take(chunk: Buffer): Promise<void> {
    if (typeof this.mode === 'object') {
      await this.mode.write(chunk);
      return;
    }
    this.hash.update(chunk);
    this.size += chunk.length;
    if (this.size > maxManifestBytes) {
      this.mode = 'other';
      this.parts.length = 0;
    } else {
      this.parts.push(Buffer.from(chunk));
    }
  }

  async finish(): Promise<Member<Layer>> {
    if (this.mode === undefined) await this.decide();
    if (typeof this.mode === 'object') return { $case: 'layer', layer: await this.mode.finish() };
    const digest = `sha256:${this.hash.digest('hex')}` as Digest;
    if (this.mode === 'other') return { $case: 'other', digest, size: this.size };
    return { $case: 'document', bytes: Buffer.concat(this.parts), digest };
  }

  async discard(): Promise<void> {
    if (typeof this.mode === 'object') await this.mode.discard();
  }
}

type Step =
  | { readonly $case: 'open'; readonly name: string }
  | { readonly $case: 'data'; readonly chunk: Buffer }
  | { readonly $case: 'close' };

/**
 * readArchive streams an engine's archive once and calls `onMember` for each member, in order.
 * A layer's bytes go to what `openLayer` gives; whoever takes the layer discards it.
 */
export async function readArchive<Layer>(
  openLayer: OpenLayer<Layer>,
  archive: AsyncIterable<Uint8Array>,
  onMember: (name: string, member: Member<Layer>) => Promise<void>,
): Promise<void> {
  let steps: Step[] = [];
  let members = 0;
  let documents = 0;
  let current: { readonly name: string; readonly intake: MemberIntake<Layer> } | undefined;
  const links: [string, string][] = [];
  const reader = new TarReader({
    entry(entry) {
      if (++members > maxMembers) {
        throw new AppError(
          'oci/too-many-entries',
          'upstream',
          `the engine's archive has more than ${maxMembers} members`,
        );
      }
      const name = memberName(entry);
      if (entry.type === 'file') steps.push({ $case: 'open', name });
      else if (entry.type === 'symlink') links.push([name, posix.join(posix.dirname(name), toText(entry.link))]);
      else if (entry.type === 'link') links.push([name, posix.normalize(toText(entry.link))]);
    },
    data: (chunk) => steps.push({ $case: 'data', chunk }),
    end: () => steps.push({ $case: 'close' }),
  });
  const run = async (step: Step) => {
    if (step.$case === 'open') {
      current = { name: step.name, intake: new MemberIntake(openLayer, step.name) };
    } else if (step.$case === 'data') {
      await current?.intake.write(step.chunk);
    } else if (current !== undefined) {
      const { name, intake } = current;
      const member = await intake.finish();
      current = undefined;
      if (member.$case === 'document' && (documents += member.bytes.length) > maxDocumentBytes) {
        throw new AppError('oci/too-large', 'upstream', "the documents in the engine's archive are too large");
      }
      await onMember(name, member);
    }
  };
  const drain = async () => {
    const batch = steps;
    steps = [];
    for (const step of batch) await run(step);
    for (const [name, target] of links.splice(0)) await onMember(name, { $case: 'link', target });
  };
  try {
    for await (const chunk of archive) {
      reader.write(chunk as Buffer);
      await drain();
    }
    reader.finish();
    await drain();
  } finally {
    await current?.intake.discard();
  }
}
