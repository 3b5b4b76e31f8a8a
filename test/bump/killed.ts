import { createHost } from '../../src/host/index.ts';
import type { Files, Host } from '../../src/host/index.ts';
import { Transaction } from '../../src/flows/bump/transaction.ts';

/** Run as a process of its own: writes the changes and is really killed before (or after) its n-th effect. */
const [root = '', step = '0', when = 'before', json = '[]'] = process.argv.slice(2);
const deadly = Number(step);
let count = 0;

function counted<A extends unknown[], R>(effect: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  return async (...args) => {
    count += 1;
    if (count === deadly && when === 'before') process.kill(process.pid, 'SIGKILL');
    const result = await effect(...args);
    if (count === deadly) process.kill(process.pid, 'SIGKILL');
    return result;
  };
}

const host = createHost({ quiet: true });
const files: Files = {
  ...host.files,
  write: counted((path: string, content: string | Uint8Array, mode?: number) => host.files.write(path, content, mode)),
  rename: counted((from: string, to: string) => host.files.rename(from, to)),
  remove: counted((path: string) => host.files.remove(path)),
  makeDirectory: counted((path: string) => host.files.makeDirectory(path)),
};
const killed: Host = { ...host, files };
const changes = new Map(
  (JSON.parse(json) as [string, string | null][]).map(([path, text]) => [path, text ?? undefined]),
);
const transaction = await Transaction.open(killed, root);
await transaction.write(changes);
await transaction.close();
process.stdout.write(String(count));
