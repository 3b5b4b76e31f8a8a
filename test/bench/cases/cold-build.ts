import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { dockerBuild, pruneCache } from '../docker.ts';
import type { Stage } from '../stage.ts';
import type { Measurement, Part, Row, Trial, Verdict } from '../types.ts';

/** The variant with the least to build: what is measured is what we add, not what it holds. */
const smallest = 'openshell-claude';
const engineAlone = 'docker build --no-cache';
const enginePart = 'runner-image build, without export';

/** The share of a run that was export, as the build itself reports it with --json. */
export function exportSeconds({ stdout }: Pick<Measurement, 'stdout'>): number {
  const { platforms } = JSON.parse(stdout) as { platforms?: readonly { seconds: { export: number } }[] };
  const seconds = platforms?.[0]?.seconds.export;
  if (seconds === undefined) throw new Error('build --json told no export time');
  return seconds;
}

function split(run: Measurement): Part[] {
  const exporting = exportSeconds(run);
  return [
    { name: enginePart, seconds: run.seconds - exporting },
    { name: 'runner-image build, its export', seconds: exporting },
    { name: 'runner-image build, all of it', seconds: run.seconds },
  ];
}

function overhead(rows: readonly Row[]): Verdict[] {
  const [ours, alone] = [enginePart, engineAlone].map((name) => rows.find((row) => row.name === name)?.median);
  if (ours === undefined || alone === undefined) return [];
  const share = (ours / alone - 1) * 100;
  return [
    {
      aim: 'cold build: our overhead within 3 % of the engine alone',
      met: share <= 3,
      found: `${share.toFixed(1)} % (${(ours - alone).toFixed(2)} s)`,
    },
  ];
}

/** A cold build through us against the same Dockerfile through the engine's own command. */
export async function coldBuild(stage: Stage): Promise<Trial[]> {
  const project = await stage.project('cold');
  const layout = join(project, 'dist', smallest);
  const prepare = async (): Promise<void> => {
    await rm(layout, { recursive: true, force: true });
    await pruneCache(stage);
  };
  const command = ['build', smallest, '--platform', 'linux/amd64', '--force', '--no-cache', '--json'];
  return [
    {
      title: `${smallest}, linux/amd64, cold`,
      reference: enginePart,
      rounds: stage.quick ? 1 : 3,
      contenders: [
        {
          name: enginePart,
          needs: ['docker'],
          prepare,
          command: () => stage.ours(project, command),
          parts: split,
        },
        {
          name: engineAlone,
          needs: ['docker'],
          prepare,
          command: () => dockerBuild(stage, smallest, ['linux/amd64'], ['--no-cache']),
          note: 'memory is the docker command’s; the daemon’s is not counted',
        },
      ],
      judge: overhead,
      note: 'Build cache pruned before every run of either where the engine is the lab’s own; the packages come from loopback, npm’s from the network.',
    },
  ];
}
