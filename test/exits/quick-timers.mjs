// Loaded before a command of these tests: waits between attempts take a hundredth of their time, and the clock goes on
// by all of it. Deadlines, which are longer than the longest wait, stay what they are: under load they would end what
// is sound.
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

const RealDate = Date;
let ahead = 0;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length === 0 ? [RealDate.now() + ahead] : given));
  }
  static now() {
    return RealDate.now() + ahead;
  }
};

const { setTimeout: wait } = timers;
timers.setTimeout = async (milliseconds, ...rest) => {
  if (milliseconds > 20_000) return await wait(milliseconds, ...rest);
  const value = await wait(milliseconds / 100, ...rest);
  ahead += milliseconds;
  return value;
};
syncBuiltinESMExports();
