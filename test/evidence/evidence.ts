import { digestOf } from '../../src/core/index.ts';
import type { Evidence } from '../../src/evidence/index.ts';

/** Evidence of an index of which nothing was seen yet. */
export const evidence: Evidence = {
  version: 2,
  variant: 'openshell',
  digest: digestOf('an index'),
  inputDigest: digestOf('inputs'),
  lab: false,
  platforms: [
    { platform: 'linux/amd64', manifest: digestOf('amd64') },
    { platform: 'linux/arm64', manifest: digestOf('arm64') },
  ],
  pins: [],
  builds: [],
  runs: [],
  publications: [],
  attachments: [],
  sboms: [],
};
