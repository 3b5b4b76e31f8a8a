import type { PeerName } from '../peers.ts';
import type { Stage } from '../stage.ts';
import type { Trial } from '../types.ts';
import { staticCheck } from './check.ts';
import { coldBuild } from './cold-build.ts';
import { layoutExport } from './export.ts';
import { noChange } from './no-change.ts';
import { push } from './push.ts';
import { bumpCurrent, resolve } from './resolve.ts';
import { sbom } from './sbom.ts';
import { trust } from './trust.ts';

export interface BenchCase {
  readonly peers: readonly PeerName[];
  trials(stage: Stage): Promise<Trial[]>;
}

export const cases: Readonly<Record<string, BenchCase>> = {
  'no-change': { peers: ['docker', 'buildah'], trials: noChange },
  'cold-build': { peers: ['docker'], trials: coldBuild },
  export: { peers: ['docker', 'gzip', 'pigz'], trials: layoutExport },
  push: { peers: ['crane', 'oras', 'skopeo', 'docker'], trials: push },
  trust: { peers: ['cosign', 'oras', 'skopeo'], trials: trust },
  sbom: { peers: ['trivy', 'skopeo', 'umoci'], trials: sbom },
  check: { peers: ['crane', 'skopeo', 'umoci', 'trivy', 'pigz', 'openssl', 'tar'], trials: staticCheck },
  resolve: { peers: ['crane'], trials: resolve },
  bump: { peers: ['crane'], trials: bumpCurrent },
};
