import * as z from 'zod';

/**
 * The OpenShell supervisor's policy file, schema version 1 (NVIDIA OpenShell,
 * docs/reference/policy-schema). Strict: what is not named here, the supervisor does not know.
 */
const absolute = z.string().regex(/^\//, 'must be an absolute path').max(4096);
const port = z.int().min(1).max(65535);
const queryMatcher = z.union([z.string(), z.strictObject({ any: z.array(z.string()).min(1) })]);
const request = {
  method: z.string().optional(),
  path: z.string().optional(),
  command: z.string().optional(),
  query: z.record(z.string(), queryMatcher).optional(),
  operation_type: z.string().optional(),
  operation_name: z.string().optional(),
  fields: z.array(z.string()).optional(),
  tool: z.string().optional(),
  params: z.record(z.string(), queryMatcher).optional(),
};

const endpoint = z.strictObject({
  host: z.string().min(1),
  port: port.optional(),
  ports: z.array(port).optional(),
  path: z.string().optional(),
  protocol: z.enum(['rest', 'websocket', 'graphql', 'mcp', 'json-rpc', 'sql']).optional(),
  tls: z.enum(['terminate', 'passthrough', 'skip']).optional(),
  enforcement: z.enum(['enforce', 'audit']).optional(),
  access: z.enum(['read-only', 'read-write', 'full']).optional(),
  rules: z.array(z.strictObject({ allow: z.strictObject(request) })).optional(),
  deny_rules: z.array(z.strictObject(request)).optional(),
  allowed_ips: z.array(z.string()).optional(),
  allow_encoded_slash: z.boolean().optional(),
  websocket_credential_rewrite: z.boolean().optional(),
  request_body_credential_rewrite: z.boolean().optional(),
  allow_uninspected_credentials: z.boolean().optional(),
  credential_signing: z.enum(['sigv4', 'sigv4:body', 'sigv4:no_body']).optional(),
  signing_service: z.string().optional(),
  signing_region: z.string().optional(),
  persisted_queries: z.enum(['deny', 'allow_registered']).optional(),
  graphql_persisted_queries: z.record(z.string(), z.unknown()).optional(),
  graphql_max_body_bytes: z.int().positive().optional(),
  mcp: z.record(z.string(), z.unknown()).optional(),
  json_rpc: z.record(z.string(), z.unknown()).optional(),
});
export type PolicyEndpoint = Readonly<z.infer<typeof endpoint>>;

const networkPolicy = z.strictObject({
  name: z.string().optional(),
  endpoints: z.array(endpoint).optional(),
  binaries: z.array(z.strictObject({ path: absolute })).optional(),
});
export type NetworkPolicy = Readonly<z.infer<typeof networkPolicy>>;

export const policySchema = z.strictObject({
  version: z.literal(1),
  filesystem_policy: z
    .strictObject({
      include_workdir: z.boolean().optional(),
      read_only: z.array(absolute).optional(),
      read_write: z.array(absolute).optional(),
    })
    .optional(),
  landlock: z.strictObject({ compatibility: z.enum(['best_effort', 'hard_requirement']).optional() }).optional(),
  process: z
    .strictObject({
      run_as_user: z.union([z.string(), z.int()]).optional(),
      run_as_group: z.union([z.string(), z.int()]).optional(),
    })
    .optional(),
  network_policies: z.record(z.string(), networkPolicy).optional(),
  network_middlewares: z.record(z.string(), z.unknown()).optional(),
});
/** Policy is a policy.yaml that the supervisor understands whole. */
export type Policy = Readonly<z.infer<typeof policySchema>>;
