// Loaded before a command of these tests: waits between attempts are a hundredth of what they are. Deadlines, which
// are longer than the longest wait, stay what they are: under load they would end what is sound.
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

const { setTimeout: wait } = timers;
timers.setTimeout = (milliseconds, ...rest) =>
  wait(milliseconds <= 20_000 ? milliseconds / 100 : milliseconds, ...rest);
syncBuiltinESMExports();
