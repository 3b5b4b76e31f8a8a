import { createHash } from 'node:crypto';
import type { Host } from '../host/index.ts';

/** cacheName is one name per repository and platform: what the tag is without its build's own part. */
export function cacheName(tag: string): string {
  const stable = tag.replace(/-[0-9a-f]{12,64}$/, '');
  return `localhost/runner-image-cache:${createHash('sha256').update(stable).digest('hex').slice(0, 16)}`;
}

/**
 * keepCache adds one durable name to the image, since Buildah deletes every cached step together with
 * the last name that leads to it. The previous holder of the name goes, so that the cache stays
 * one image per repository and platform.
 */
export async function keepCache(host: Host, tag: string): Promise<void> {
  const signal = new AbortController().signal;
  const name = cacheName(tag);
  const before = await host.exec('buildah', ['images', '--quiet', '--no-trunc', name], { signal });
  const tagged = await host.exec('buildah', ['tag', tag, name], { signal });
  if (tagged.exitCode !== 0) return;
  const after = await host.exec('buildah', ['images', '--quiet', '--no-trunc', name], { signal });
  const old = before.exitCode === 0 ? before.stdout.trim() : '';
  // An image that something else still uses refuses to go; that is no failure.
  if (old !== '' && old !== after.stdout.trim()) await host.exec('buildah', ['rmi', old], { signal });
}
