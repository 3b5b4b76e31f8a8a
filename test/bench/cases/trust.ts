import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repository } from '../../../src/registry/index.ts';
import { startDockerRegistry, type DockerRegistry } from '../../support/registries/docker-registry.ts';
import { words } from '../docker.ts';
import {
  copyTo,
  cosignSigning,
  cosignVerifying,
  inside,
  ourPromoting,
  ourSigning,
  ourVerifying,
  subject,
  type Subject,
} from '../sigstore.ts';
import type { Stage } from '../stage.ts';
import type { Trial } from '../types.ts';
import { memoryUnder, within } from '../verdicts.ts';

const signing = 'runner-image sign, attest, verify';
const verifying = 'runner-image verify';
const promoting = 'runner-image promote';

/** A new copy without proofs before every run: what is there already is not signed again. */
class Unsigned {
  private repo: Repository | undefined;
  private readonly given: Subject;
  private readonly name: string;

  constructor(given: Subject, name: string) {
    this.given = given;
    this.name = name;
  }

  prepare = async (round: number): Promise<void> => {
    this.repo = await copyTo(this.given, `trust-${this.name}-${round}`);
  };

  get now(): Repository {
    if (this.repo === undefined) throw new TypeError('not prepared');
    return this.repo;
  }
}

async function freshToken({ kit, directory }: Subject): Promise<string> {
  const file = join(directory, 'token');
  await writeFile(file, kit.token());
  return file;
}

function signAndVerify(stage: Stage, given: Subject): Trial {
  const ours = new Unsigned(given, 'ours');
  const theirs = new Unsigned(given, 'cosign');
  return {
    title: `${stage.variant}: sign every node, attest, verify`,
    reference: signing,
    rounds: stage.quick ? 2 : 7,
    contenders: [
      {
        name: signing,
        prepare: ours.prepare,
        command: () => inside(given, `${ourSigning(stage, given, ours.now)} && ${ourVerifying(given, ours.now)}`),
        note: 'three commands; what is signed is verified before it is attached, too',
      },
      {
        name: 'cosign sign, attest, verify',
        needs: ['cosign'],
        prepare: theirs.prepare,
        command: async () => {
          const token = await freshToken(given);
          const sign = cosignSigning(stage, given, theirs.now, token);
          return inside(given, `${sign} && ${cosignVerifying(stage, given, theirs.now)}`);
        },
        note: 'fourteen commands: signing is recursive, everything else takes one node at a time',
      },
    ],
    judge: (rows) => [...within(rows, signing, 'cosign sign, attest, verify', 1), ...memoryUnder(rows, signing, 250)],
    note: 'The same registry, the same offline Sigstore; provenance and SBOMs lie ready as files for both.',
  };
}

/** A repository where everything is signed, attested and found good by both. */
function signed(stage: Stage, given: Subject): Promise<Repository> {
  return stage.once('signed tree', async () => {
    const repo = await copyTo(given, 'trust-signed');
    await stage.do(inside(given, ourSigning(stage, given, repo)));
    return repo;
  });
}

async function verify(stage: Stage, given: Subject): Promise<Trial> {
  const repo = await signed(stage, given);
  return {
    title: `${stage.variant}: verify signature, provenance and SBOM on every node`,
    reference: verifying,
    rounds: stage.quick ? 3 : 15,
    contenders: [
      { name: verifying, command: () => inside(given, ourVerifying(given, repo)) },
      {
        name: 'cosign verify, verify-attestation',
        needs: ['cosign'],
        command: () => inside(given, cosignVerifying(stage, given, repo)),
        note: 'eight commands',
      },
    ],
    judge: (rows) => within(rows, verifying, 'cosign verify, verify-attestation', 1),
  };
}

async function promote(stage: Stage, given: Subject): Promise<Trial> {
  const repo = await signed(stage, given);
  const source = `${repo.registry}/${repo.repository}@${given.index}`;
  let target: DockerRegistry | undefined;
  stage.later(async () => target?.close());
  const prepare = async (): Promise<void> => {
    await target?.close();
    target = await startDockerRegistry();
  };
  const to = (name: string): string => `${target?.host ?? ''}/bench/${name}:stable`;
  const { oras, skopeo } = stage.peers;
  return {
    title: `${stage.variant}: promote a signed tree into an empty registry`,
    reference: promoting,
    rounds: stage.quick ? 2 : 7,
    contenders: [
      {
        name: promoting,
        prepare,
        command: () => inside(given, ourPromoting(given, repo, to('ours'))),
        note: 'verified before and after the copy, then the tag moved',
      },
      {
        name: 'oras cp -r',
        needs: ['oras'],
        prepare,
        command: () => {
          const how = ['cp', '--recursive', '--no-tty', '--from-plain-http', '--to-plain-http'];
          return { argv: [oras.path, ...how, source, to('oras')] };
        },
        note: 'copies the proofs of the index only, verifies nothing',
      },
      {
        name: 'skopeo copy --all',
        needs: ['skopeo'],
        prepare,
        command: () => {
          const how = ['copy', '--all', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false'];
          const places = [`docker://${source}`, `docker://${to('skopeo')}`];
          return inside(given, words([skopeo.path, '--insecure-policy', ...how, ...places]));
        },
        note: 'copies no proofs, verifies nothing',
      },
    ],
    judge: (rows) => [
      ...within(rows, promoting, 'oras cp -r', 1),
      ...within(rows, promoting, 'skopeo copy --all', 1),
      ...memoryUnder(rows, promoting, 250),
    ],
    note: 'Between two docker-registries on loopback, the second started with no data before every run.',
  };
}

/** Signing, verifying and promoting, with all proofs on every node. */
export async function trust(stage: Stage): Promise<Trial[]> {
  const given = await subject(stage);
  return [signAndVerify(stage, given), await verify(stage, given), await promote(stage, given)];
}
