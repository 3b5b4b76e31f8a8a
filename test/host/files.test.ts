import fs, { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { nodeFiles } from '../../src/host/files.ts';

const place = mkdtempSync(join(tmpdir(), 'files-test-'));
afterAll(() => rmSync(place, { recursive: true }));

describe('files', () => {
  it('writes whole files and leaves no temporary file', async () => {
    const path = join(place, 'deep', 'a.txt');
    await nodeFiles.write(path, 'one', 0o755);
    await nodeFiles.write(path, 'two', 0o755);
    expect(await nodeFiles.readText(path)).toBe('two');
    expect((await nodeFiles.stat(path))?.mode).toBe(0o755);
    expect(readdirSync(join(place, 'deep'))).toEqual(['a.txt']);
  });

  it('leaves the old file when the write fails', async () => {
    await nodeFiles.write(join(place, 'dir', 'x'), 'x');
    await expect(nodeFiles.write(join(place, 'dir'), 'text')).rejects.toMatchObject({ code: 'host/write' });
    expect(readdirSync(join(place, 'dir'))).toEqual(['x']);
    expect(readdirSync(place).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('refuses to read past the limit, saying both sizes', async () => {
    await nodeFiles.write(join(place, 'big'), 'x'.repeat(100));
    await expect(nodeFiles.read(join(place, 'big'), 99)).rejects.toMatchObject({
      code: 'host/too-large',
      facts: { found: '100 bytes' },
    });
  });

  it('refuses what has no end and tells no size', async () => {
    await expect(nodeFiles.read('/dev/zero', 1_000_000)).rejects.toMatchObject({
      code: 'host/too-large',
      facts: { found: 'more' },
    });
    expect(await nodeFiles.read('/dev/null')).toHaveLength(0);
    await expect(nodeFiles.read(place)).rejects.toMatchObject({ code: 'host/read' });
  });

  it('discards a temporary file without a trace, also before it is open', async () => {
    const { open } = fs;
    const late = (...args: Parameters<typeof open>): void => void setTimeout(() => open(...args), 30);
    const slow = vi.spyOn(fs, 'open').mockImplementation(late);
    onTestFinished(() => slow.mockRestore());
    const directory = join(place, 'at once');
    const dropped = await nodeFiles.openTemporary(join(directory, 'file'));
    await dropped.discard();
    await dropped.discard();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(slow).toHaveBeenCalledOnce();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('discards a temporary file that could not be opened', async () => {
    const directory = join(place, 'gone');
    const dropped = await nodeFiles.openTemporary(join(directory, 'file'));
    rmSync(directory, { recursive: true });
    await dropped.discard();
    expect(await nodeFiles.stat(directory)).toBeUndefined();
  });

  it('commits a temporary file by renaming it and discards it without a trace', async () => {
    const kept = await nodeFiles.openTemporary(join(place, 'kept'));
    kept.stream.write('content');
    await kept.commit();
    expect(await nodeFiles.readText(join(place, 'kept'))).toBe('content');
    const dropped = await nodeFiles.openTemporary(join(place, 'dropped'));
    dropped.stream.write('content');
    await dropped.discard();
    expect(readdirSync(place).filter((name) => name.includes('dropped'))).toEqual([]);
  });
});
