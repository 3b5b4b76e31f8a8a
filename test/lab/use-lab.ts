import type { EngineKind, LabState } from '../../src/lab/state.ts';
import { up } from '../../src/lab/up.ts';

/**
 * useLab gives integration tests the lab, started by whoever asks first; the others get it at
 * once. It stays up for the next file: `make test` and `runner-image lab down` end it.
 */
export async function useLab(engines: readonly EngineKind[] = ['classic']): Promise<LabState> {
  return up({ engines, say: (line) => void process.stderr.write(`lab: ${line}\n`) });
}
