import type { AppError } from '../../errors/index.ts';
import { throwAll } from '../../errors/index.ts';
import type { Pin } from '../../core/index.ts';
import { checkPolicy, type HeldReason, type Requested } from '../../pins/bump/index.ts';
import { defaultPinsFile } from '../plan-definitions.ts';
import { BumpError, type BumpErrorCode } from './errors.ts';
import type { BumpRow } from './rows.ts';

/** Target is a pin that is asked about, and what a person requested beyond its policy. */
export interface Target {
  readonly pin: Pin;
  readonly requested: Requested;
}

const wrongUse = (code: BumpErrorCode, message: string, found?: string): AppError =>
  new BumpError(code, 'usage', message, { found: found === undefined ? undefined : JSON.stringify(found) });

/** readTargets reads `pin` and `pin@version`; none: every pin. Throws all that is wrong at once. */
export function readTargets(
  pins: ReadonlyMap<string, Pin>,
  texts: readonly string[],
  downgrade: boolean,
): readonly Target[] {
  if (texts.length === 0) return [...pins.values()].map((pin) => ({ pin, requested: { downgrade } }));
  const errors: AppError[] = [];
  const targets = new Map<string, Target>();
  for (const text of texts) {
    const [name = '', ...rest] = text.split('@');
    const version = rest.length === 0 ? undefined : rest.join('@');
    const pin = pins.get(name);
    if (pin === undefined)
      errors.push(
        new BumpError('bump/unknown-pin', 'usage', `no pin is called ${JSON.stringify(name.slice(0, 80))}`, {
          expected: [...pins.keys()].join(', '),
          where: { file: defaultPinsFile },
        }),
      );
    else if (version !== undefined && (version === '' || pin.kind === 'rpms'))
      errors.push(wrongUse('bump/version', `${name} takes no such version`, text));
    else if (targets.has(name)) errors.push(wrongUse('bump/twice', `${name} is named twice`));
    else targets.set(name, { pin, requested: { downgrade, version } });
  }
  throwAll(errors);
  return [...targets.values()];
}

/** checkPolicies throws every fault of the targets' policies that no candidate could ever satisfy. */
export function checkPolicies(targets: readonly Target[]): void {
  throwAll(targets.flatMap(({ pin }) => checkPolicy(pin, defaultPinsFile)));
}

/** What helps beside another policy, by the reason. */
const refusalHints: Partial<Record<HeldReason, string>> = {
  downgrade: 'add --downgrade to take an older version',
  'too-new': 'add --now to take it without waiting',
  'age-unknown': 'add --now to take it without waiting',
  incomplete: 'ask the publisher for what is missing, or take another version',
  unsigned: 'ask the publisher why it is not signed, or take another version',
  'evidence-lost': 'ask the publisher why it is gone, or take another version',
};

/** refuseHeld throws `bump/refused` for every version that a person named and policy holds back. */
export function refuseHeld(rows: readonly BumpRow[], targets: readonly Target[]): void {
  const requested = new Map(targets.map((target) => [target.pin.name, target.requested.version]));
  const errors = rows.flatMap(({ pin, verdict }) => {
    const version = requested.get(pin.name);
    if (verdict.$case === 'due' || !('held' in verdict)) return [];
    return verdict.held
      .filter((held) => held.version === version)
      .slice(0, 1)
      .map(
        ({ reason, detail }) =>
          new BumpError('bump/refused', 'usage', `${pin.name} ${version ?? ''} is held: ${reason}`, {
            found: detail,
            hint: refusalHints[reason] ?? `change the policy of ${pin.name} in ${defaultPinsFile}`,
          }),
      );
  });
  throwAll(errors);
}
