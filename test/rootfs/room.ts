import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = join(dirname(fileURLToPath(import.meta.url)), '../..');

export interface RoomOptions {
  /** Folder under images/ whose rootfs/ is laid over the machine's /usr. */
  readonly image: 'openshell' | 'standard';
  /** Stand-ins, by absolute path inside the room: text that becomes an executable file. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Other files, by absolute path inside the room. */
  readonly files?: Readonly<Record<string, string>>;
  /** Bash, run in the room's namespaces before entering it; $ROOT is the room's directory. */
  readonly before?: string;
  /** Bash, run inside the room with an empty environment. */
  readonly run: string;
  readonly user?: number;
}

export interface RoomResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The room's outer script. Everything it mounts, adds and starts lives in namespaces of its own and
 * is gone when the script ends; the scripts under test are run as they are, at their real paths.
 */
const outer = `
set -euo pipefail
mount -t tmpfs room "$ROOT"
cp -a "$STAGE/." "$ROOT/"
mkdir -p "$ROOT"/{usr,etc,proc,dev,tmp,run,var,sys,usr/local}
for d in bin sbin lib lib64; do ln -s "usr/$d" "$ROOT/$d"; done
ln -s ../run "$ROOT/var/run"
mkdir -p "$ROOT/stage-local"
[[ ! -d $ROOT/usr/local ]] || cp -a "$ROOT/usr/local/." "$ROOT/stage-local/"
mount --bind /usr "$ROOT/usr"
mount --bind "$ROOT/stage-local" "$ROOT/usr/local"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
chmod 1777 "$ROOT/tmp"
eval "$BEFORE"
exec chroot --userspec="$AS:0" "$ROOT" /usr/bin/env -i /bin/bash -c "$RUN"
`;

/** inRoom runs bash in a root file system that looks like the image's where the scripts look. */
export async function inRoom(options: RoomOptions): Promise<RoomResult> {
  const base = await mkdtemp(join(tmpdir(), 'rootfs-room-'));
  try {
    const stage = join(base, 'stage');
    await cp(join(project, 'images', options.image, 'rootfs'), stage, { recursive: true });
    for (const [path, text] of Object.entries({ ...options.files, ...options.programs })) {
      await mkdir(dirname(join(stage, path)), { recursive: true });
      await writeFile(join(stage, path), text);
      await chmod(join(stage, path), options.programs?.[path] === undefined ? 0o644 : 0o755);
    }
    await mkdir(join(base, 'root'));
    const child = spawn(
      'unshare',
      ['--mount', '--net', '--pid', '--fork', '--kill-child', '--propagation', 'private', 'bash', '-c', outer],
      {
        env: {
          PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
          ROOT: join(base, 'root'),
          STAGE: stage,
          BEFORE: options.before ?? '',
          RUN: options.run,
          AS: String(options.user ?? 0),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 60_000,
        killSignal: 'SIGKILL',
      },
    );
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        resolve(code ?? (signal === null ? -1 : -2));
      });
    });
    return { exitCode, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}
