import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const folder = join(import.meta.dirname, '../../docs/decisions');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const records = readdirSync(folder)
  .filter((name) => name !== 'README.md')
  .sort();

/** The part of a record below one heading, up to the next of its level. */
const part = (text: string, heading: string): string | undefined =>
  new RegExp(`^## ${heading}\\n\\n([\\s\\S]+?)(?=^## |(?![\\s\\S]))`, 'm').exec(text)?.[1];

test('records are numbered from 1 without a gap', () => {
  expect(records.length).toBeGreaterThan(10);
  const numbers = records.map((name) => /^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1]);
  expect(numbers).toEqual(records.map((_name, index) => String(index + 1).padStart(4, '0')));
});

describe.each(records)('%s', (name) => {
  const text = read(name);

  test('has its number, a date and a status, and what led to what', () => {
    expect(text).toMatch(
      new RegExp(
        `^# ${name.slice(0, 4)}\\. .+\\n\\nDate: \\d{4}-\\d\\d-\\d\\d\\\\\\nStatus: (?:accepted|superseded by )`,
      ),
    );
    for (const heading of ['Context', 'Decision', 'Consequences']) expect(part(text, heading), heading).toBeTruthy();
  });

  test('is in the list with its title, date and status', () => {
    const [, title = '?'] = /^# \d+\. (.+)$/m.exec(text) ?? [];
    const [, date = '?'] = /^Date: (\S+?)\\?$/m.exec(text) ?? [];
    const [, status = '?'] = /^Status: ([^;\n]+)/m.exec(text) ?? [];
    const rows = read('README.md')
      .split('\n')
      .filter((line) => line.includes(`](${name})`) && /^\| \[/.test(line));
    expect(
      rows.map((row) =>
        row
          .split(' | ')
          .slice(1)
          .map((cell) => cell.replace(/ *\|$/, '').trim()),
      ),
    ).toContainEqual([title, date, status]);
  });

  test('links to records that exist', () => {
    const links = [...text.matchAll(/\]\((\d{4}-[^)]+\.md)\)/g)].map(([, to = '']) => to);
    expect(links.filter((to) => !records.includes(to))).toEqual([]);
  });
});
