import { takeLock, type FileLock, type Host } from '../host/index.ts';

/** lockLayout lets one build at a time write a layout. Throws `oci/locked`. */
export const lockLayout = (host: Host, directory: string): Promise<FileLock> =>
  takeLock(host, `${directory}.lock`, { room: 'oci', holder: 'build', doing: `writing ${directory}` });
