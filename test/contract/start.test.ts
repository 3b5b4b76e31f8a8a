import { describe, expect, it } from 'vitest';
import type { PictureOf } from '../support/picture.ts';
import { replacing, withEnv } from './edit.ts';
import { check, derived, problems, short, standard } from './good.ts';

const original = standard().cmd ?? [];
const wrapped = (script: string, change: Partial<PictureOf>): PictureOf => ({
  ...replacing('/usr/local/bin/wrap', { mode: 0o755, content: script, layer: 2 })(derived()),
  ...change,
});

describe('the start command of a derived image', () => {
  it.each<[string, PictureOf]>([
    ['kept', derived()],
    [
      'run by a script that execs what it is given',
      wrapped('#!/bin/bash\nset -e\nexport A=1\nexec "$@"\n', { entrypoint: ['/usr/local/bin/wrap'] }),
    ],
    [
      'run by a script that execs it by name',
      wrapped('#!/bin/bash\nsetup && exec /bin/bash -c uvicorn\n', { cmd: ['/usr/local/bin/wrap'] }),
    ],
    ['run by a program that is handed it', { ...derived(), entrypoint: ['/usr/local/bin/tool', '--'] }],
    [
      'run by a shell that execs it',
      {
        ...derived(),
        cmd: ['/bin/sh', '-c', 'umask 022; exec /bin/bash -c uvicorn'],
        paths: { ...derived().paths, '/usr/bin/sh': { mode: 0o755, layer: 0 } },
      },
    ],
  ])('is sound when %s', (_, image) => {
    expect(short(check(image, 'custom'))).toEqual([]);
  });

  it.each<[string, PictureOf]>([
    ['replaced', { ...derived(), cmd: ['/usr/local/bin/tool'] }],
    [
      'run as a child of a script',
      wrapped('#!/bin/bash\n# exec "$@"\n"$@"\n', { entrypoint: ['/usr/local/bin/wrap'] }),
    ],
    ['run as a child of a shell', { ...derived(), cmd: ['/bin/bash', '-c', '/bin/bash -c uvicorn; true'] }],
    [
      'dropped by a new ENTRYPOINT',
      wrapped('#!/bin/bash\nexec "$@"\n', { entrypoint: ['/usr/local/bin/wrap'], cmd: [] }),
    ],
  ])('is advised against when %s', (_, image) => {
    const [found, ...more] = problems(check(image, 'custom'));
    expect([found?.rule, found?.severity, more]).toEqual(['contract/entrypoint', 'warning', []]);
    expect(found?.message).toContain(JSON.stringify(original).slice(0, 20));
  });
});

describe('a forbidden variable', () => {
  it('is blamed on the instruction that set it last, and compared with the base', () => {
    const image = withEnv(
      { AGUI_PORT: '9000' },
      'ENV AGUI_PORT=8002',
      '/bin/sh -c #(nop)  ENV AGUI_PORT=9000',
      'ENV AGUI_PORT_X=1',
    )(derived());
    const [found] = problems(check(image, 'custom'));
    expect(found?.message).toBe('ENV must not set AGUI_PORT; it sets "9000", the base has "8001"');
    expect(found?.location).toEqual({
      $case: 'config',
      key: 'Env.AGUI_PORT',
      layer: { index: 2, createdBy: '/bin/sh -c #(nop) ENV AGUI_PORT=9000' },
    });
  });
  it('may keep the value of the base', () => {
    expect(short(check(withEnv({ RUNNER_TYPE: 'claude-agent-sdk' })(derived()), 'custom'))).toEqual([]);
  });
});
