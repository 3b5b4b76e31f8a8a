import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.ts';

export interface Certificates {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** One CA per lab; its key is thrown away with the lab and signs one loopback certificate. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const at = (name: string): string => join(directory, name);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = '/CN=openshell-runner-images lab CA';
  const openssl = async (...args: string[]): Promise<void> => {
    await run('openssl', args);
  };
  await openssl(
    'req',
    '-x509',
    ...curve,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
    '-days',
    '365',
    '-subj',
    subject,
  );
  await openssl('req', ...curve, '-keyout', at('server.key'), '-out', at('server.csr'), '-subj', '/CN=localhost');
  const extensions = 'subjectAltName=DNS:localhost,DNS:github.com,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n';
  await writeFile(at('extensions'), extensions);
  const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('extensions')];
  await openssl('x509', '-req', '-in', at('server.csr'), ...signing, '-days', '365', '-out', at('server.pem'));
  return { ca: at('ca.pem'), certificate: at('server.pem'), key: at('server.key') };
}

/** The bundle that builds mount: what this machine trusts beyond the usual, and the lab's CA. */
export async function writeExtraCa(target: string, ca: string, env = process.env): Promise<void> {
  const named = [env['NODE_EXTRA_CA_CERTS'], env['SSL_CERT_FILE']].filter((path) => path !== undefined && path !== '');
  const parts = [await readFile(ca, 'utf8')];
  for (const path of new Set(named)) if (path !== undefined) parts.push(await readFile(path, 'utf8').catch(() => ''));
  await writeFile(target, parts.map((part) => part.trim()).join('\n') + '\n');
}
