import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export const newKeyPair = (): KeyPair => generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** derOf gives the SubjectPublicKeyInfo, whose SHA-256 is a log's id. */
export const derOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
export const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;
export const logIdOf = (key: KeyObject): Buffer => createHash('sha256').update(derOf(key)).digest();

export const certificatePem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trimEnd()}\n-----END CERTIFICATE-----\n`;
