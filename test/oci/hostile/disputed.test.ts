import { describe, expect, it } from 'vitest';
import type { AppError } from '../../../src/errors/index.ts';
import { disputedCases, lower } from '../differential/disputed-cases.ts';
import { extension, longName, member, octal } from '../differential/header.ts';
import { archive, pax, raw, walkTars } from './support.ts';

const refusal = (...layers: readonly Buffer[]) =>
  walkTars(layers).then(
    ({ tree }) => `no error: ${[...tree.keys()].join(' ')}`,
    (error: unknown) => {
      const { code, facts } = error as AppError;
      return `${code} ${facts.found ?? ''}`;
    },
  );
const file = (name: string) => raw({ name, body: 'x' });
const backdoor = raw({ name: 'usr/bin/backdoor', mode: 0o4755, body: 'x'.repeat(600) });

describe('headers that a global header drops', () => {
  const comment = extension([['comment', 'c']], 'g', 'pax_global_header');
  it.each([
    ['x with another path', pax({ path: 'usr/share/readme' })],
    ['x with a size that swallows what follows', pax({ size: '4096' })],
    ['L with another name', longName('usr/share/readme')],
  ])('%s hides nothing', async (_what, pending) => {
    const { tree } = await walkTars([archive(pending, comment, backdoor, file('etc/sudoers'))]);
    expect(tree.get('/usr/bin/backdoor')).toMatchObject({ mode: 0o4755, size: 600 });
    expect([...tree.keys()].sort()).toEqual(['/', '/etc', '/etc/sudoers', '/usr', '/usr/bin', '/usr/bin/backdoor']);
  });

  it('K with another target is dropped, and empty L and K leave the header’s own', async () => {
    const link = raw({ name: 'link', flag: '2', link: 'own' });
    const dropped = await walkTars([archive(longName('evil', 'K'), comment, link)]);
    expect(dropped.tree.get('/link')?.link).toBe('own');
    const empty = await walkTars([archive(longName('', 'K'), longName(''), link)]);
    expect(empty.tree.get('/link')?.link).toBe('own');
  });
});

describe('sparse files in PAX', () => {
  const head = Buffer.alloc(512);
  head.write('2\n0\n2\n4\n2\n');
  const records = {
    'GNU.sparse.major': '1',
    'GNU.sparse.minor': '0',
    'GNU.sparse.name': 'real',
    'GNU.sparse.realsize': '8',
  };
  const sparse = (size: string) =>
    archive(
      pax({ ...records, 'GNU.sparse.realsize': size }),
      raw({ name: 'x', body: Buffer.concat([head, Buffer.from('abcd')]) }),
    );

  it('are expanded, so that their content is looked at as engines unpack it', async () => {
    const { tree, contents } = await walkTars([sparse('8')], { collectors: { wantContent: () => true } });
    expect(tree.get('/real')).toMatchObject({ type: 'file', size: 8 });
    expect(Buffer.from(contents.get('/real') ?? []).toString('latin1')).toBe('ab\0\0cd\0\0');
  });

  it('of more holes than a layer may have bytes are an error, before they are read', async () => {
    await expect(walkTars([sparse('4503599627370496')])).rejects.toMatchObject({ code: 'oci/limit' });
  });
});

describe('what engines unpack differently is refused with the entry and the engines', () => {
  it.each(disputedCases)('$what', async ({ layers, code, found }) => {
    const said = await refusal(...layers);
    expect(said.startsWith(`${code} `), said).toBe(true);
    expect(said).toContain(found);
  });

  it('what they agree on is not', async () => {
    expect(await refusal(lower, archive(file('.wh.d'), file('d')))).toBe('no error: / /f /to /d');
    expect(await refusal(lower, archive(pax({ path: 'GlobalHead.0.1' }, 'g'), file('g')))).toBe(
      'no error: / /d /d/lower /f /to /g',
    );
    const null7 = member({ name: 'null', flag: '3', devMajor: octal(1, 8), devMinor: octal(3, 8) });
    expect(await refusal(archive(null7))).toBe('no error: / /null');
  });
});
