import { expect, test } from 'vitest';
import { inRoom } from './room.ts';

const uv = '#!/bin/bash\necho "VIRTUAL_ENV=$VIRTUAL_ENV"\nprintf "<%s>" "$@"\n';

test.each([
  ['openshell', '/sandbox/.venv'],
  ['standard', '/app/.venv'],
] as const)('%s: pip installs where python imports from, whatever the environment says', async (image, venv) => {
  const result = await inRoom({
    image,
    programs: { '/usr/local/bin/uv': uv },
    run: 'VIRTUAL_ENV=/elsewhere PATH=/nowhere /usr/local/bin/pip install "a b" "*"',
  });
  expect(result).toEqual({ exitCode: 0, stdout: `VIRTUAL_ENV=${venv}\n<pip><install><a b><*>`, stderr: '' });
});
