import { AppError } from '../errors/index.ts';
import type { FragmentDefinition, FragmentSection } from '../core/index.ts';
import { networkPrelude } from './render-network.ts';

/** Characters that can neither end an instruction or a quoted word nor expand to something else. */
const harmless = /^[A-Za-z0-9_.,:@%+=~/-]*$/;

/** One value is a list of words and one an option of its own; a space in any other would add a word. */
function isHarmless(name: string, value: string): boolean {
  if (name.endsWith('.packages')) return value.split(' ').every((word) => word !== '' && harmless.test(word));
  if (name === 'npm.registry') return harmless.test(value.replace(/^ --registry=/, ''));
  return harmless.test(value);
}

const placeholder = /\{\{([^{}\n]*)\}\}/g;

/** Scope holds every value that the text of one fragment may take, by the name in the braces. */
export type Scope = ReadonlyMap<string, string>;

interface Filled {
  readonly text: string;
  readonly errors: readonly AppError[];
  /** Names that were taken. */
  readonly used: ReadonlySet<string>;
}

/** fillTemplate puts values in the place of `{{name}}`; `{{network}}` is the network prelude. */
export function fillTemplate(section: FragmentSection, fragment: FragmentDefinition, scope: Scope): Filled {
  const errors: AppError[] = [];
  const used = new Set<string>();
  const fail = (code: string, message: string, offset: number, hint?: string): string => {
    const before = section.text.slice(0, offset).split('\n');
    const where = {
      file: fragment.file,
      line: section.line + before.length - 1,
      column: (before.at(-1)?.length ?? 0) + 1,
    };
    errors.push(new AppError(code, 'usage', message, { where, hint }));
    return '';
  };
  const text = section.text.replace(placeholder, (_all, name: string, offset: number) => {
    if (name === 'network') return networkPrelude;
    const value = scope.get(name);
    if (value === undefined) {
      const pin = name.split('.')[0] ?? name;
      const hint = fragment.pins.includes(pin)
        ? `known here: ${[...scope.keys()].filter((key) => key.startsWith(`${pin}.`)).join(', ') || 'nothing of that pin'}`
        : `name the pin under \`pins\` of ${fragment.file}, and have it in images/pins.yaml`;
      return fail('dockerfile/unknown-value', `nothing is called {{${name}}}`, offset, hint);
    }
    used.add(name);
    // A list of packages reads better with one name a line; the names were checked as one value.
    if (isHarmless(name, value)) return name.endsWith('.packages') ? value.split(' ').join(' \\\n        ') : value;
    return fail('dockerfile/unsafe-value', `the value of {{${name}}} could change the Dockerfile's meaning`, offset);
  });
  if (/\{\{|\}\}/.test(text)) fail('dockerfile/template', 'unbalanced {{ or }}', section.text.search(/\{\{|\}\}/));
  return { text, errors, used };
}
