import { createHost } from '../host/index.ts';

/** The lab runs on this machine, no matter what calls it: commands, whole writes of files and the lock go through one host. */
export const host = createHost();

export const exists = async (path: string): Promise<boolean> => (await host.files.stat(path)) !== undefined;
