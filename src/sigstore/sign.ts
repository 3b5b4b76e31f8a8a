import type { Witness } from '@sigstore/sign';
import { inTotoPayloadType } from './predicate-types.ts';
import { clientOptions, told } from './services.ts';
import type { Signer } from './signer.ts';
import { encodeStatement, type Statement } from './statement.ts';

/** witnesses are the log and, for signatures meant for bundles, the timestamp authority. */
export async function witnesses(signer: Signer, options: { readonly tsa: boolean }): Promise<Witness[]> {
  const { RekorWitness, TSAWitness } = await import('@sigstore/sign');
  const { services } = signer;
  const shared = clientOptions(services);
  return [
    ...(services.rekor === undefined
      ? []
      : // What a broken connection left in the log is fetched, not taken for a failure.
        [new RekorWitness({ rekorBaseURL: services.rekor, fetchOnConflict: true, majorApiVersion: 1, ...shared })]),
    ...(services.tsa === undefined || !options.tsa ? [] : [new TSAWitness({ tsaBaseURL: services.tsa, ...shared })]),
  ];
}

/**
 * signStatement gives a Sigstore bundle v0.3 (JSON) with a DSSE envelope, a log entry and a
 * timestamp. Throws `sigstore/fulcio`, `sigstore/rekor`, `sigstore/tsa`, `sigstore/too-large`; then
 * nothing was attached anywhere, although the log may hold an entry.
 */
export async function signStatement(signer: Signer, statement: Statement): Promise<Buffer> {
  const data = encodeStatement(statement);
  const { DSSEBundleBuilder } = await import('@sigstore/sign');
  const { bundleToJSON } = await import('@sigstore/bundle');
  const builder = new DSSEBundleBuilder({ signer, witnesses: await witnesses(signer, { tsa: true }) });
  try {
    const bundle = await builder.create({ data, type: inTotoPayloadType });
    return Buffer.from(JSON.stringify(bundleToJSON(bundle)));
  } catch (error) {
    throw told(error, signer.services, signer.secret());
  }
}
