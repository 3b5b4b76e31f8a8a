import { debianBinary } from './debian-binary.ts';

/** The two cosigns that consumers have: 2 reads its own tags, 3 reads bundles. Both run on bookworm. */
const packages = {
  '2.5.0': {
    pool: 'pool/main/c/cosign/cosign_2.5.0-2+b4_amd64.deb',
    sha256: 'aef4fb6635710fd369ef73c07dde35540f45c877984e20f37aa11e181bb597c3',
    path: 'usr/bin/cosign',
  },
  '3.1.1': {
    pool: 'pool/main/c/cosign/cosign_3.1.1-2_amd64.deb',
    sha256: 'd8622ebffce1d69197288fc030ff06a4c247af5507107f85c5a878870b686b23',
    path: 'usr/bin/cosign',
  },
} as const;
export type CosignVersion = keyof typeof packages;

/** cosign gives the path of the real program, downloaded once. */
export const cosign = (version: CosignVersion): Promise<string> => debianBinary(packages[version]);
