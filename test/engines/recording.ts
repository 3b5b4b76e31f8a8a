import type { BuildEvent, BuildRequest, BuiltImage, Engine } from '../../src/engines/index.ts';

/** One call to an engine and how it ended, in the order in which the calls began. */
export interface EngineCall {
  readonly $case: 'build' | 'export' | 'remove';
  readonly platform: string;
  readonly tag: string;
  outcome: 'running' | 'ok' | 'failed';
  readonly events: BuildEvent[];
}

/** recording wraps an engine and notes what was asked of it; it changes nothing. */
export function recording(engine: Engine, calls: EngineCall[]): Engine {
  const note = async <T>(
    $case: EngineCall['$case'],
    about: Pick<BuildRequest | BuiltImage, 'platform' | 'tag'>,
    run: (call: EngineCall) => Promise<T>,
  ): Promise<T> => {
    const call: EngineCall = { $case, platform: about.platform, tag: about.tag, outcome: 'running', events: [] };
    calls.push(call);
    try {
      const result = await run(call);
      call.outcome = 'ok';
      return result;
    } catch (error) {
      call.outcome = 'failed';
      throw error;
    }
  };
  return {
    name: engine.name,
    info: async (platform) => await engine.info(platform),
    build: async (request) =>
      await note('build', request, async (call) => {
        const onProgress = (event: BuildEvent): void => {
          call.events.push(event);
          request.onProgress(event);
        };
        return await engine.build({ ...request, onProgress });
      }),
    export: async (built, signal) => await note('export', built, async () => await engine.export(built, signal)),
    remove: async (built) => {
      await note('remove', built, async () => {
        await engine.remove(built);
      });
    },
  };
}
