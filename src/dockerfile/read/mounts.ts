import type { Instruction } from './model.ts';
import { offsetAt, sliceText, TextBuilder, type Text } from './text.ts';
import { literalWord, wordOf, type DockerWord } from './words.ts';

/** csvFields splits one line of CSV as BuildKit does; undefined where a quote stands wrong or nothing is there. */
export function csvFields(text: Text): Text[] | undefined {
  const { value } = text;
  if (value === '') return undefined;
  const fields: Text[] = [];
  for (let i = 0; i <= value.length; i++) {
    const field = new TextBuilder();
    if (value.charAt(i) === '"') {
      for (i += 1; ; i++) {
        if (i >= value.length) return undefined;
        if (value.charAt(i) === '"' && value.charAt(++i) !== '"') break;
        field.copy(text, i, i + 1);
      }
      if (i < value.length && value.charAt(i) !== ',') return undefined;
    } else
      for (; i < value.length && value.charAt(i) !== ','; i++) {
        if (value.charAt(i) === '"') return undefined;
        field.copy(text, i, i + 1);
      }
    fields.push(field.build(offsetAt(text, i)));
    // A closing quote at the end ends the line; a comma there is followed by an empty field.
    if (i >= value.length) break;
  }
  return fields;
}

const otherNames: Readonly<Record<string, string>> = { dst: 'target', destination: 'target', src: 'source' };

/** mountsOf returns the fields of each `--mount`, by their names in lower case: `target` for its other names. */
export function mountsOf(instruction: Instruction, escape: string): Map<string, DockerWord>[] {
  return instruction.flags
    .filter(({ name }) => name === 'mount')
    .map(({ value: { text } }) => {
      const fields = new Map<string, DockerWord>();
      for (const field of csvFields(text) ?? []) {
        const equals = field.value.indexOf('=');
        const end = equals < 0 ? field.value.length : equals;
        const name = field.value.slice(0, end).toLowerCase();
        const value = sliceText(field, Math.min(end + 1, field.value.length), field.value.length);
        fields.set(otherNames[name] ?? name, equals < 0 ? literalWord(value) : wordOf(value, escape));
      }
      return fields;
    });
}
