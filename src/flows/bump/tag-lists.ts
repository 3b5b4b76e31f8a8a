import { parseImageRef } from '../../core/image-ref.ts';
import type { ImagePin } from '../../core/index.ts';
import { formatRepository, mirrored } from '../../registry/repository.ts';
import type { Sources } from './resolver.ts';

/** How long a list of tags is taken as it was read, in milliseconds. */
const anHour = 60 * 60 * 1000;

function parse(text: string): readonly string[] | undefined {
  const value: unknown = JSON.parse(text);
  return Array.isArray(value) && value.every((tag): tag is string => typeof tag === 'string') ? value : undefined;
}

/** A list that was read within the hour, and how many minutes ago; a clock that was set back makes it none. */
async function remembered({ answers, host }: Sources, key: string) {
  const known = await answers?.recall(key);
  const age = known === undefined ? -1 : host.clock.now().getTime() - known.at;
  const tags = known === undefined || age < 0 || age >= anHour ? undefined : parse(known.text);
  return tags === undefined ? undefined : { tags, minutes: Math.floor(age / 60_000) };
}

/**
 * tagsOf gives the tags of a pin's repository, asked for once however many pins share it. Where a new version waits
 * for its cooldown anyway, a list of the last hour is not asked for again: a tag that came since could be held at
 * most, never taken. With `fresh`, and for pins without a cooldown, it always is.
 */
export async function tagsOf(sources: Sources, pin: ImagePin, fresh: boolean): Promise<readonly string[]> {
  const repository = parseImageRef(pin.repository);
  const waits = !fresh && (pin.policy.cooldownDays ?? 0) > 0;
  const key = `tags of ${formatRepository(mirrored(repository, sources.mirrors.images))}`;
  return sources.once(`${key}, ${waits ? 'of the last hour' : 'now'}`, async () => {
    const known = waits ? await remembered(sources, key) : undefined;
    if (known !== undefined) {
      sources.host.story.say(
        `${pin.repository}: tags as they were ${known.minutes} min ago; asked again after an hour, or with --now`,
      );
      return known.tags;
    }
    const tags = await sources.registry.tags(repository);
    await sources.answers?.note(key, JSON.stringify(tags));
    return tags;
  });
}
