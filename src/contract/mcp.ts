import * as z from 'zod';
import type { Picture, ProfileSpec } from '../core/index.ts';

/** Where Claude Code and the runner read MCP servers from, and the settings that name them. */
export function sessionFiles({ home, application }: Pick<ProfileSpec, 'home' | 'application'>): {
  readonly servers: readonly string[];
  readonly settings: readonly string[];
} {
  return {
    servers: [`${home}/.mcp.json`, `${home}/.claude.json`, `${application}/.mcp.json`],
    settings: [`${home}/.claude/settings.json`, `${home}/.claude/settings.local.json`],
  };
}

const servers = z.record(z.string(), z.looseObject({ command: z.string().optional() }));
const serverFile = z.looseObject({
  mcpServers: servers.optional(),
  /** .claude.json keeps servers for each project, too. */
  projects: z.record(z.string(), z.looseObject({ mcpServers: servers.optional() })).optional(),
});
const settingsFile = z.looseObject({ enabledMcpjsonServers: z.array(z.string()).optional() });

export interface McpServer {
  readonly name: string;
  /** Absent where the server is reached over the network. */
  readonly command?: string | undefined;
}

/** A file as it was understood, or why it was not; undefined when the image has no such file. */
export type Read<T> = { readonly value: T } | { readonly why: string } | undefined;

function read<T>({ contents, tree }: Picture, path: string, schema: z.ZodType<T>): Read<T> {
  const bytes = contents.get(path);
  if (bytes === undefined) return tree.has(path) ? { why: 'it is no regular file of at most 1 MiB' } : undefined;
  try {
    const result = schema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    if (result.success) return { value: result.data };
    const [issue] = result.error.issues;
    return { why: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'another shape'}` };
  } catch (error) {
    return { why: error instanceof Error ? error.message : 'it is no JSON' };
  }
}

/** mcpServers lists the servers that one file defines, in the file's order. */
export function mcpServers(picture: Picture, path: string): Read<readonly McpServer[]> {
  const found = read(picture, path, serverFile);
  if (found === undefined || 'why' in found) return found;
  const all = [found.value.mcpServers, ...Object.values(found.value.projects ?? {}).map((one) => one.mcpServers)];
  return {
    value: all.flatMap((one) => Object.entries(one ?? {}).map(([name, { command }]) => ({ name, command }))),
  };
}

/** enabledServers lists the servers of .mcp.json that one settings file enables by name. */
export function enabledServers(picture: Picture, path: string): Read<readonly string[]> {
  const found = read(picture, path, settingsFile);
  if (found === undefined || 'why' in found) return found;
  return { value: found.value.enabledMcpjsonServers ?? [] };
}
