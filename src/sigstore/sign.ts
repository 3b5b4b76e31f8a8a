import type { Witness } from '@sigstore/sign';
import type { Host } from '../host/index.ts';
import { inTotoPayloadType } from './predicate-types.ts';
import type { Signer } from './signer.ts';
import { encodeStatement, type Statement } from './statement.ts';

/** witnesses are the log and, for signatures meant for bundles, the timestamp authority. */
export async function witnesses(
  host: Host,
  { services }: Signer,
  options: { readonly tsa: boolean },
): Promise<Witness[]> {
  const { rekorWitness } = await import('./rekor.ts');
  const { tsaWitness } = await import('./tsa.ts');
  return [
    ...(services.rekor === undefined ? [] : [rekorWitness(host, services, services.rekor)]),
    ...(services.tsa === undefined || !options.tsa ? [] : [tsaWitness(host, services, services.tsa)]),
  ];
}

/**
 * signStatement gives a Sigstore bundle v0.3 (JSON) with a DSSE envelope, a log entry and a
 * timestamp. Throws `sigstore/fulcio`, `sigstore/rekor`, `sigstore/tsa`, `sigstore/too-large`; then
 * nothing was attached anywhere, although the log may hold an entry.
 */
export async function signStatement(host: Host, signer: Signer, statement: Statement): Promise<Buffer> {
  const data = encodeStatement(statement);
  // Not the package's index: that would load its own HTTP clients, which nothing here uses.
  const { DSSEBundleBuilder } = await import('@sigstore/sign/dist/bundler/index.js');
  const { bundleToJSON } = await import('@sigstore/bundle');
  const builder = new DSSEBundleBuilder({ signer, witnesses: await witnesses(host, signer, { tsa: true }) });
  const bundle = await builder.create({ data, type: inTotoPayloadType });
  return Buffer.from(JSON.stringify(bundleToJSON(bundle)));
}
