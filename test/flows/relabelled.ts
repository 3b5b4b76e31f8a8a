import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Document {
  mediaType?: string;
  size: number;
  digest: string;
  manifests: Document[];
  config: Document & { Labels?: Record<string, string> };
}

/** relabelled copies a layout and changes the labels of every image in it: configs, manifests, index and all. */
export async function relabelled(
  from: string,
  to: string,
  edit: (labels: Record<string, string>) => Record<string, string>,
): Promise<void> {
  await cp(from, to, { recursive: true });
  const blob = (digest: string): string => join(to, 'blobs', digest.replace(':', '/'));
  const read = async (path: string): Promise<Document> => JSON.parse(await readFile(path, 'utf8')) as Document;
  const write = async (descriptor: Document, document: Document): Promise<void> => {
    const bytes = Buffer.from(JSON.stringify(document));
    descriptor.digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    descriptor.size = bytes.length;
    await writeFile(blob(descriptor.digest), bytes);
  };
  const entry = await read(join(to, 'index.json'));
  for (const root of entry.manifests) {
    const index = await read(blob(root.digest));
    for (const child of index.manifests) {
      const manifest = await read(blob(child.digest));
      const config = await read(blob(manifest.config.digest));
      config.config.Labels = edit(config.config.Labels ?? {});
      await write(manifest.config, config);
      await write(child, manifest);
    }
    await write(root, index);
  }
  await writeFile(join(to, 'index.json'), JSON.stringify(entry));
}
