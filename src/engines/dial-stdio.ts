import { Duplex, PassThrough, Writable } from 'node:stream';
import type { Host } from '../host/index.ts';
import type { Endpoint } from './endpoint.ts';

type SshEndpoint = Extract<Endpoint, { $case: 'ssh' }>;

/** sshArguments reach the remote engine as the docker command itself does. */
export function sshArguments(endpoint: SshEndpoint): string[] {
  const port = endpoint.port === undefined ? [] : ['-p', String(endpoint.port)];
  return [
    '-T',
    '-o',
    'BatchMode=yes',
    '-o',
    'ConnectTimeout=30',
    ...port,
    '--',
    endpoint.destination,
    'docker',
    'system',
    'dial-stdio',
  ];
}

/** dialStdio returns one connection to the remote engine; closing it ends the ssh process. */
export function dialStdio(host: Host, endpoint: SshEndpoint): Duplex {
  const input = new PassThrough();
  const ended = new AbortController();
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk, _encoding, callback) => {
      if (input.write(chunk)) callback();
      else input.once('drain', callback);
    },
    final: (callback) => {
      input.end(callback);
    },
    destroy: (error, callback) => {
      ended.abort();
      callback(error);
    },
  });
  const waiting: (() => void)[] = [];
  duplex._read = () => waiting.shift()?.();
  const stdout = new Writable({
    write: (chunk, _encoding, callback) => {
      if (duplex.push(chunk)) callback();
      else waiting.push(callback);
    },
  });
  // What http sets on a real socket means nothing here.
  Object.assign(duplex, {
    setTimeout: () => duplex,
    setNoDelay: () => duplex,
    setKeepAlive: () => duplex,
    ref: () => duplex,
    unref: () => duplex,
  });
  host
    .exec('ssh', sshArguments(endpoint), { input, stdout, signal: AbortSignal.any([ended.signal, host.signal]) })
    .then(
      ({ exitCode, stderr }) => {
        // Only now: an end before the reason would reach the caller as a connection that was reset.
        if (exitCode === 0) duplex.push(null);
        else if (!duplex.destroyed)
          duplex.destroy(new Error(`ssh ${endpoint.destination} ended with ${exitCode}: ${stderr.trim().slice(-500)}`));
      },
      (error: unknown) => {
        duplex.destroy(error instanceof Error ? error : new Error(String(error)));
      },
    );
  return duplex;
}
