export { checksumOf, maxChecksumBytes, parseChecksums, type ChecksumLine } from './parse.ts';
export { digestOfStream, verifyAssets, type Asset, type Verified } from './verify.ts';
