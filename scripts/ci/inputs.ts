import { AppError } from '../../src/errors/index.ts';
import { fromHere, stringOption, type Call } from '../command.ts';

/** needed gives an option that this step cannot do without. */
export function needed(call: Call, option: string): string {
  const value = stringOption(call, option);
  if (value !== undefined && value !== '') return value;
  throw new AppError('cli/usage', 'usage', `ci ${call.args[0] ?? ''} needs --${option}`, {
    hint: 'runner-image ci --help',
  });
}

export const neededFile = (call: Call, option: string): string => fromHere(needed(call, option));

export function variantOf(call: Call): string {
  const [step, variant] = call.args;
  if (variant !== undefined) return variant;
  throw new AppError('cli/usage', 'usage', `ci ${step ?? ''} needs a variant`, { hint: 'runner-image ci --help' });
}
