import { join } from 'node:path';
import type { ActionPin } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import type { Changes } from './overlay.ts';

async function yamlFiles(host: Host, root: string, folder: string): Promise<readonly string[]> {
  if ((await host.files.stat(join(root, folder)))?.type !== 'directory') return [];
  const found: string[] = [];
  for (const name of await host.files.list(join(root, folder))) {
    const path = `${folder}/${name}`;
    const type = (await host.files.stat(join(root, path)))?.type;
    if (type === 'directory') found.push(...(await yamlFiles(host, root, path)));
    else if (type === 'file' && /\.ya?ml$/.test(name)) found.push(path);
  }
  return found;
}

/** actionChanges moves every `uses: owner/name@<commit> # version` of .github/ on; sub-actions (`owner/name/path`) too. */
export async function actionChanges(
  host: Host,
  root: string,
  pin: ActionPin,
  to: { readonly version: string; readonly commit: string },
): Promise<Changes> {
  const changes = new Map<string, string>();
  const name = pin.repository.replaceAll('.', '\\.');
  const pattern = new RegExp(`(\\buses:\\s*["']?${name}(?:/[\\w./-]+)?@)${pin.commit}(["']?)([ \\t]*#[^\\n]*)?`, 'g');
  for (const path of await yamlFiles(host, root, '.github')) {
    const text = await host.files.readText(join(root, path));
    const next = text.replace(pattern, (_all, before: string, quote: string, comment: string | undefined) => {
      const said = comment?.replaceAll(pin.version, to.version) ?? '';
      return `${before}${to.commit}${quote}${said}`;
    });
    if (next !== text) changes.set(path, next);
  }
  return changes;
}
