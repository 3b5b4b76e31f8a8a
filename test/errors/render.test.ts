import { describe, expect, it } from 'vitest';
import { AppError, errorToJson, oneLine, renderError, throwAll } from '../../src/errors/index.ts';

const error = new AppError('pins/digest', 'usage', 'malformed digest', {
  expected: 'sha256:…',
  found: 'sha512',
  where: { file: 'images/pins.yaml', line: 5, column: 16 },
  hint: 'copy the whole digest',
  cause: new Error('inner'),
});

describe('renderError', () => {
  it('says what, where, both sides, why and what to do', () => {
    expect(renderError(error).split('\n')).toEqual([
      'error: images/pins.yaml:5:16: malformed digest',
      '  expected: sha256:…',
      '  found:    sha512',
      '  because:  inner',
      '  do:       copy the whole digest',
      '  code:     pins/digest',
    ]);
  });

  it('has a short form for lists', () => {
    expect(oneLine(error)).toBe('malformed digest: sha512: inner');
    expect(oneLine(new AppError('a/b', 'usage', 'bare'))).toBe('bare');
  });

  it.each([
    [['findings', 'findings'], 1],
    [['findings', 'upstream'], 3],
    [['upstream', 'machine', 'findings'], 4],
    [['findings', 'usage', 'machine'], 2],
  ] as const)('several errors together, %j, exit with %i', (kinds, exit) => {
    const errors = kinds.map((kind) => new AppError('a/b', kind, kind));
    expect(() => {
      throwAll(errors);
    }).toThrow(expect.objectContaining({ exit }));
  });

  it('renders every one of several errors', () => {
    expect(() => throwAll([error, error])).toThrow('2 problems');
    try {
      throwAll([error, error]);
    } catch (both) {
      expect(renderError(both).match(/^error: /gm)).toHaveLength(2);
    }
  });

  it('throws nothing for no errors', () => {
    expect(() => throwAll([])).not.toThrow();
  });

  it('gives the same facts as JSON, without the raw cause', () => {
    expect(errorToJson(error)).toEqual({
      code: 'pins/digest',
      message: 'malformed digest',
      expected: 'sha256:…',
      found: 'sha512',
      where: { file: 'images/pins.yaml', line: 5, column: 16 },
      hint: 'copy the whole digest',
      causes: ['inner'],
    });
  });
});
