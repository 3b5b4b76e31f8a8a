import type { Finding, RuleInfo } from '../../core/index.ts';
import { obstacleTo } from '../access.ts';
import type { Rule, RuleContext } from '../context.ts';
import { executableAt, which } from '../executable.ts';
import { atPath, finding } from '../finding.ts';
import { enabledServers, mcpServers, sessionFiles, type McpServer } from '../mcp.ts';
import { redactSecrets } from '../secrets/text.ts';

const quote = (text: string): string => JSON.stringify(redactSecrets(text).slice(0, 120));

const command: RuleInfo = {
  id: 'contract/mcp-command',
  severity: 'error',
  section: '4',
  summary: "Every command that an MCP configuration names is in the image, and the session's user can run it.",
  remediation:
    'Install the server at a locked version on PATH, readable for every user, or take it out of the configuration: a session without it starts with an error.',
};

/** Why a session cannot start this server; undefined when it can. */
function whyNot(context: RuleContext, named: string): string | undefined {
  const { picture, env } = context;
  const path = which(picture.tree, named, env, picture.config.config?.WorkingDir ?? '/');
  if (path === undefined) return named.includes('/') ? `${named} does not exist` : `PATH has no ${named}`;
  const what = executableAt(picture, path, env);
  if (what.$case === 'missing') return `${what.at} does not exist`;
  if (what.$case === 'not-executable') return `${what.path}: ${what.why}`;
  if (what.$case === 'script' && what.shebang !== undefined && what.exe === undefined)
    return `${what.path} has an interpreter that is not in the image: ${quote(what.shebang)}`;
  const wanted = what.$case === 'script' ? 'rx' : 'x';
  const users = [context.arbitrary, ...(context.runtime === undefined ? [] : [context.runtime])];
  return users.map((who) => obstacleTo(picture.tree, who, path, wanted)?.because).find((why) => why !== undefined);
}

function checkServer(context: RuleContext, file: string, { name, command: named }: McpServer): Finding[] {
  if (named === undefined) return [];
  if (named.includes('${')) {
    context.undecided(command, `${file}: the command of ${quote(name)} is known in a session only: ${quote(named)}`);
    return [];
  }
  const why = whyNot(context, named);
  if (why === undefined) return [];
  const message = `${file} starts MCP server ${quote(name)} with ${quote(named)}, which the session's user must be able to run; ${why}`;
  return [finding(command, `${file} ${name}`, message, atPath(context, file))];
}

export const mcpCommands: Rule = {
  info: command,
  check: (context) =>
    sessionFiles(context.profile).servers.flatMap((file): Finding[] => {
      const found = mcpServers(context.picture, file);
      if (found === undefined) return [];
      if ('value' in found) return found.value.flatMap((server) => checkServer(context, file, server));
      const message = `${file} must be an MCP configuration; ${redactSecrets(found.why).slice(0, 200)}`;
      return [finding(command, file, message, atPath(context, file))];
    }),
};

const enabled: RuleInfo = {
  id: 'contract/mcp-enabled',
  severity: 'error',
  section: '4',
  summary: "Every MCP server that the image's settings enable by name is defined in the image.",
  remediation: 'Define the server in .mcp.json, or take its name out of `enabledMcpjsonServers`.',
};

export const mcpEnabled: Rule = {
  info: enabled,
  check(context) {
    const files = sessionFiles(context.profile);
    const defined = new Set(
      files.servers.flatMap((file) => {
        const found = mcpServers(context.picture, file);
        return found !== undefined && 'value' in found ? found.value.map(({ name }) => name) : [];
      }),
    );
    return files.settings.flatMap((file): Finding[] => {
      const found = enabledServers(context.picture, file);
      if (found === undefined) return [];
      if ('why' in found) {
        const message = `${file} must be settings of Claude Code; ${redactSecrets(found.why).slice(0, 200)}`;
        return [finding(enabled, file, message, atPath(context, file))];
      }
      return found.value
        .filter((name) => !defined.has(name))
        .map((name) => {
          const message = `${file} enables MCP server ${quote(name)}, which no configuration of the image defines`;
          return finding(enabled, `${file} ${name}`, message, atPath(context, file));
        });
    });
  },
};
