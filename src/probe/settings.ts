import { architectureOf } from '../core/index.ts';
import type { ProbeOptions, Settings } from './types.ts';

const second = 1000;

/** settingsOf fills in the defaults; an emulator gets longer limits, since it is about ten times slower. */
export function settingsOf(options: ProbeOptions, machine: string = process.arch): Settings {
  const native = machine === 'x64' ? 'amd64' : machine;
  const emulated = options.emulated ?? architectureOf(options.platform) !== native;
  return {
    image: options.image,
    platform: options.platform,
    startAs: options.profile === 'custom' ? (options.derivedFrom ?? 'standard') : options.profile,
    emulated,
    startupTimeout: options.startupTimeout ?? (emulated ? 300 : 60) * second,
    gracePeriod: options.gracePeriod ?? (emulated ? 30 : 10) * second,
    requestTimeout: options.requestTimeout ?? (emulated ? 60 : 15) * second,
    runnerTypes: options.runnerTypes ?? ['claude-agent-sdk', 'gemini-cli', 'langgraph'],
  };
}
