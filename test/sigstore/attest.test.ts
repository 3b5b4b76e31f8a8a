import { expect, test } from 'vitest';
import { labelNames } from '../../src/core/index.ts';
import { stage, useKit } from './stage.ts';

const kit = useKit();

test.each([undefined, ''])(
  'an image whose revision is %j is not attested: its provenance would name no source',
  async (revision) => {
    const here = await stage(kit(), { labels: { [labelNames.revision]: revision } });
    await here.sign();
    const logged = kit().counts.rekor;
    await expect(here.attest()).rejects.toMatchObject({
      exit: 2,
      errors: [{ code: 'trust/no-revision' }, { code: 'trust/no-revision' }],
    });
    expect(kit().counts.rekor).toBe(logged);
  },
);
