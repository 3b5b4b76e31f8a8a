import { excludedFrom } from './proxies.ts';

/**
 * Packages with an HTTP client of their own (@sigstore/sign, @sigstore/tuf) read the proxies from the environment while
 * they are loaded, and would ask a Sigstore on 127.0.0.1 through the proxy. Imported before all of them, this says in
 * the environment what proxiesOf says to our own client; without a proxy nothing is changed.
 */
if (Object.keys(process.env).some((name) => /^(?:https?_|all_)?proxy$/i.test(name)))
  process.env['no_proxy'] = process.env['NO_PROXY'] = excludedFrom(process.env);
