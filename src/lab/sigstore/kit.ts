import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startFulcio, type Answer } from './fulcio.ts';
import { githubClaims, makeToken } from './identity.ts';
import { certificatePem, newKeyPair, pemOf } from './keys.ts';
import { startRekor, type Rekor } from './rekor.ts';
import { startTsa } from './tsa.ts';
import { trustedRoot } from './trusted-root.ts';

export type Service = 'fulcio' | 'rekor' | 'tsa' | 'oidc';
/** `cut`: the connection breaks; `endless`: a good status, then blanks for ever; `drip`: the same, one a moment. */
type Given = Answer | 'cut' | 'endless' | 'drip';
export type Fault = (answer: () => Promise<Answer>) => Given | Promise<Given>;

/** Kit is a Sigstore on loopback: Fulcio, Rekor v1, a timestamp authority, and an issuer of CI tokens. */
export interface Kit {
  /** `http://127.0.0.1:port`, the address of every service. */
  readonly url: string;
  readonly trustedRoot: object;
  readonly rekor: Rekor;
  /** Requests per service, refused ones included. */
  readonly counts: Readonly<Record<Service, number>>;
  /** A token for the default identity with these claims changed. */
  token(changes?: Readonly<Record<string, string | number>>): string;
  /** Environment of a CI job with `id-token: write`, as GitHub Actions sets it. */
  ciEnvironment(changes?: Readonly<Record<string, string | number>>): Record<string, string>;
  /** The next `times` requests to a service go through `fault`. */
  fail(service: Service, fault: Fault, times?: number): void;
  /** Moves the clock of Fulcio, Rekor and the TSA, or of one of them. */
  skew(milliseconds: number, service?: Service): void;
  /** Writes trusted_root.json, ca.pem, rekor.pub and ct.pub into a directory. */
  write(
    directory: string,
  ): Promise<{ readonly trustedRoot: string; readonly ca: string; readonly rekor: string; readonly ct: string }>;
  close(): Promise<void>;
}

const requestToken = 'kit-request-token';

export const status =
  (code: number, message = 'the service is down'): Fault =>
  () => ({ status: code, body: JSON.stringify({ code, message }), type: 'application/json' });

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** pour writes blanks, which every JSON may begin with, until the other side hangs up. */
function pour(response: ServerResponse, slowly: boolean): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  if (slowly) {
    const timer = setInterval(() => response.write(' '), 20);
    response.once('close', () => {
      clearInterval(timer);
    });
    return;
  }
  const blanks = Buffer.alloc(64 * 1024, ' ');
  const more = (): void => {
    while (!response.destroyed && response.write(blanks));
  };
  response.on('drain', more);
  more();
}

/** startKit starts the services on a free port. Every key is new; nothing of it is trusted elsewhere. */
export async function startKit(options: { readonly port?: number } = {}): Promise<Kit> {
  const offsets: Record<Service, number> = { fulcio: 0, rekor: 0, tsa: 0, oidc: 0 };
  const clock = (service: Service) => () => new Date(Date.now() + offsets[service]);
  const counts: Record<Service, number> = { fulcio: 0, rekor: 0, tsa: 0, oidc: 0 };
  const faults = new Map<Service, { fault: Fault; left: number }>();
  const issuer = newKeyPair();
  let url = '';
  let claimChanges: Readonly<Record<string, string | number>> = {};
  const fulcio = await startFulcio(clock('fulcio'));
  const rekor = await startRekor(() => url, clock('rekor'));
  const tsa = await startTsa(clock('tsa'));
  const token: Kit['token'] = (changes = {}) => makeToken(githubClaims(clock('oidc')(), changes), issuer);

  const route = (request: IncomingMessage, body: Buffer): [Service, () => Promise<Answer>] | undefined => {
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    if (pathname === fulcio.path)
      return ['fulcio', () => fulcio.answer(body.toString(), request.headers.authorization)];
    if (pathname === fulcio.pathV1)
      return ['fulcio', () => fulcio.answerV1(body.toString(), request.headers.authorization)];
    if (pathname === tsa.path) return ['tsa', () => tsa.answer(body, request.headers['content-type'])];
    if (pathname === rekor.path && request.method === 'POST') return ['rekor', () => rekor.write(body.toString())];
    if (pathname === rekor.search.pathIndex) return ['rekor', async () => rekor.search.search(body.toString())];
    if (pathname === rekor.search.pathRetrieve) return ['rekor', async () => rekor.search.retrieve(body.toString())];
    if (pathname === rekor.pathV2) return ['rekor', () => rekor.writeV2(body.toString())];
    if (pathname.startsWith(`${rekor.path}/`))
      return ['rekor', async () => rekor.read(pathname.slice(rekor.path.length + 1))];
    if (pathname !== '/oidc') return undefined;
    const known = request.headers.authorization === `bearer ${requestToken}`;
    const value = (): string => token({ aud: searchParams.get('audience') ?? '', ...claimChanges });
    return [
      'oidc',
      async () =>
        known ? { status: 200, body: JSON.stringify({ count: 1, value: value() }) } : { status: 401, body: '{}' },
    ];
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const found = route(request, await readBody(request));
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    const [service, work] = found;
    counts[service] += 1;
    const fault = faults.get(service);
    if (fault !== undefined && (fault.left -= 1) < 0) faults.delete(service);
    const given = fault === undefined || fault.left < 0 ? await work() : await fault.fault(work);
    if (given === 'cut') {
      request.socket.destroy();
      return;
    }
    if (given === 'endless' || given === 'drip') {
      pour(response, given === 'drip');
      return;
    }
    response.writeHead(given.status, { 'content-type': given.type ?? 'application/json', ...given.headers });
    response.end(given.body);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const root = trustedRoot({
    url,
    since: new Date(Date.now() - 3_600_000),
    fulcio: fulcio.rootCertificate,
    rekor: rekor.keys.publicKey,
    ct: fulcio.ctKeys.publicKey,
    tsa: tsa.chain,
  });
  return {
    url,
    trustedRoot: root,
    rekor,
    counts,
    token,
    ciEnvironment(changes = {}) {
      claimChanges = changes;
      return {
        ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/oidc?api-version=2`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
      };
    },
    fail: (service, fault, times = Infinity) => void faults.set(service, { fault, left: times }),
    skew(milliseconds, service) {
      for (const name of service === undefined ? (['fulcio', 'rekor', 'tsa'] as const) : [service])
        offsets[name] = milliseconds;
    },
    async write(directory) {
      await mkdir(directory, { recursive: true });
      const file = (name: string) => join(directory, name);
      await writeFile(file('trusted_root.json'), JSON.stringify(root));
      await writeFile(file('ca.pem'), certificatePem(fulcio.rootCertificate));
      await writeFile(file('rekor.pub'), pemOf(rekor.keys.publicKey));
      await writeFile(file('ct.pub'), pemOf(fulcio.ctKeys.publicKey));
      return {
        trustedRoot: file('trusted_root.json'),
        ca: file('ca.pem'),
        rekor: file('rekor.pub'),
        ct: file('ct.pub'),
      };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
