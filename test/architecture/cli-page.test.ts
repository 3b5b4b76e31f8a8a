import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { cliPage } from '../../scripts/cli-page.ts';
import { examples, type CommandModule } from '../../scripts/command.ts';
import { commands } from '../../scripts/commands.ts';
import { define } from '../../scripts/parser.ts';

const run: CommandModule['run'] = () => Promise.reject(new Error('a page runs no command'));
const page = (define: (command: Command) => void): string =>
  cliPage([{ name: 'one', summary: 'does one thing', module: { define, run } }]);

test('a command has its arguments, options, defaults and worked examples', () => {
  const text = page((command) => {
    command.argument('<what>', 'what it is done to').option('--way <name>', 'how', 'plain');
    examples(command, [['runner-image one X', 'as it is']]);
  });
  expect(text).toContain('- [`one`](#one): does one thing');
  expect(text).toMatch(/^## one\n\n```text\nUsage: runner-image one \[options\] <what>$/m);
  expect(text).toMatch(/^ {2}what +what it is done to$/m);
  expect(text).toMatch(/^ {2}--way <name> +how \(default: "plain"\)$/m);
  expect(text).toMatch(/^Examples:\n {2}runner-image one X {2}as it is\n```$/m);
});

test('a subcommand has a heading below its command', () => {
  const text = page((command) => void command.command('part').option('--only', 'nothing else'));
  expect(text).toMatch(/^### one part\n\n```text\nUsage: runner-image one part \[options\]\n\nOptions:\n {2}--only/m);
});

test('the page names no folder of this machine and has no colours', () => {
  const text = page((command) => void command.option('--way', 'how'));
  expect(text).not.toContain(process.cwd());
  expect(text).not.toContain('\u001b');
});

test('docs/cli.md has every option of every command', async () => {
  const sections = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8').split(/^## /m);
  for (const [name, { load }] of Object.entries(commands)) {
    const command = new Command(name);
    define(command, (await load()).command);
    const section = sections.find((text) => text.startsWith(`${name}\n`)) ?? '';
    expect(section, name).toContain(`Usage: runner-image ${name}`);
    for (const { long } of command.options) expect(section, name).toContain(long);
  }
});
