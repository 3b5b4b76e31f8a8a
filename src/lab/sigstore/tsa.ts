import { ASN1Obj } from '@sigstore/core';
import { initializeTSA, tsaHandler } from '@sigstore/mock';
import { setClock, type Answer } from './fulcio.ts';
import { newKeyPair } from './keys.ts';

export interface Tsa {
  /** The leaf that signs, then its root. */
  readonly chain: readonly Buffer[];
  readonly path: string;
  answer(body: Buffer, type: string | undefined): Promise<Answer>;
}

const BOOLEAN = 0x01;

/** readQuery reads a DER TimeStampReq (RFC 3161, 2.4.1), as cosign sends it; ours sends JSON. */
function readQuery(der: Buffer): string {
  const [, imprint, ...rest] = ASN1Obj.parseBuffer(Buffer.from(der)).subs;
  const hash = imprint?.subs[1]?.value ?? Buffer.alloc(0);
  const certificates = rest.some(({ tag, value }) => tag.number === BOOLEAN && value[0] !== 0);
  return JSON.stringify({ artifactHash: hash.toString('base64'), hashAlgorithm: 'sha256', certificates });
}

/** startTsa corrects @sigstore/mock 0.13.0: times of whole seconds (others fail now and then), DER queries. */
export async function startTsa(now: () => Date): Promise<Tsa> {
  const tsa = await initializeTSA(newKeyPair());
  setClock(tsa, () => new Date(Math.floor(now().getTime() / 1000) * 1000));
  const handler = tsaHandler(tsa);
  return {
    chain: [Buffer.from(tsa.intCertificate.buffer), Buffer.from(tsa.rootCertificate.buffer)],
    path: handler.path,
    async answer(body, type) {
      const query = type === 'application/timestamp-query' ? readQuery(body) : body.toString();
      const { statusCode, response, contentType } = await handler.fn(query);
      const bytes = typeof response === 'string' ? response : Buffer.from(response.buffer);
      return { status: statusCode, body: bytes, ...(contentType === undefined ? {} : { type: contentType }) };
    },
  };
}
