import type { TrustSources } from '../src/flows/trust/policy-file.ts';
import { fromHere, stringOption, type Call } from './command.ts';

/** trustFor is whom a bump believes about signatures; without --trusted-root the public root is fetched when it is needed. */
export function trustFor(call: Call): { readonly trust?: TrustSources | undefined } {
  const file = stringOption(call, 'trustedRoot');
  return file === undefined ? {} : { trust: { trustedRoot: fromHere(file) } };
}
