import { bundleToJSON } from '@sigstore/bundle';
import { DSSEBundleBuilder } from '@sigstore/sign';
import type { Host } from '../host/index.ts';
import { inTotoPayloadType } from './predicate-types.ts';
import type { Signer } from './signer.ts';
import { encodeStatement, type Statement } from './statement.ts';
import { witnesses } from './witnesses.ts';

/**
 * signStatement returns a Sigstore bundle v0.3 (JSON) with a DSSE envelope, a log entry and a timestamp. Throws
 * `sigstore/fulcio`, `sigstore/rekor`, `sigstore/tsa`, `sigstore/too-large`; then nothing was attached anywhere,
 * although the log may hold an entry.
 */
export async function signStatement(host: Host, signer: Signer, statement: Statement): Promise<Buffer> {
  const data = encodeStatement(statement);
  const builder = new DSSEBundleBuilder({ signer, witnesses: witnesses(host, signer, { tsa: true }) });
  const bundle = await builder.create({ data, type: inTotoPayloadType });
  return Buffer.from(JSON.stringify(bundleToJSON(bundle)));
}
