export { checksumOf, maxChecksumBytes, parseChecksums } from './parse.ts';
export { digestOfStream } from './digest-of-stream.ts';
