import type { ContainerSpec } from './engine.ts';
import type { Settings } from './types.ts';

/** probeLabel marks the containers that a probe started, so that leftovers can be removed. */
export const probeLabel = 'io.ambient-code.probe';
/** What OpenShift's restricted-v2 assigns: a UID from the namespace's range, and group 0. */
export const randomUser = '1000680000:0';
/** defaultPort is what AGUI_PORT is set to. */
export const defaultPort = 8001;

/** Addresses that answer at once with "refused": the probe has no control plane to offer. */
const closedPort = 'http://127.0.0.1:9';

/** injectedEnv is what the control plane sets for a session, with values of the probe's own. */
export function injectedEnv(
  settings: Settings,
  run: string,
  secrets: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    SESSION_ID: `probe-${run}`,
    PROJECT_NAME: 'probe',
    WORKSPACE_PATH: settings.startAs === 'openshell' ? '/sandbox/workspace' : '/workspace',
    AGUI_PORT: String(defaultPort),
    BACKEND_API_URL: `${closedPort}/api`,
    AMBIENT_GRPC_URL: '127.0.0.1:9',
    AMBIENT_GRPC_USE_TLS: 'false',
    AMBIENT_CP_TOKEN_URL: `${closedPort}/token`,
    CREDENTIAL_IDS: '{}',
    // A resumed session: nothing runs before the first request.
    IS_RESUME: 'true',
    RUNNER_TYPE: settings.runnerTypes[0] ?? 'claude-agent-sdk',
    ...secrets,
  };
}

/**
 * containerSpec starts the image as its platform would.
 *
 * standard: as an ordinary pod under restricted-v2, with the image's own entrypoint.
 *
 * openshell: the gateway's supervisor is process 1, drops to `sandbox`, and execs the start script
 * in a cleared environment. The supervisor comes with the gateway, so the engine's init stands in
 * for it as process 1, and `env -i` for the clearing.
 */
export function containerSpec(
  settings: Settings,
  run: string,
  name: string,
  env: Readonly<Record<string, string>>,
): ContainerSpec {
  const common = {
    name,
    image: settings.image,
    platform: settings.platform,
    labels: { [probeLabel]: run },
    port: Number(env['AGUI_PORT'] ?? defaultPort),
  };
  switch (settings.startAs) {
    case 'standard':
      return {
        ...common,
        user: randomUser,
        env,
        readOnlyMounts: ['/app/vertex'],
        // Under an emulator process 1 is the emulator, on which SIGTERM has no effect.
        init: settings.emulated,
      };
    case 'openshell':
      return {
        ...common,
        user: 'sandbox',
        env: {},
        entrypoint: ['/usr/bin/env', '-i', ...Object.entries(env).map(([key, value]) => `${key}=${value}`)],
        command: ['/runner/entrypoint.sh'],
        readOnlyMounts: [],
        init: true,
      };
  }
}
