import type { Word } from './ast.ts';
import { baseName } from './code.ts';

const wrappers = new Set('sudo env exec command time nice nohup timeout xargs busybox doas builtin stdbuf'.split(' '));
/** Options of the wrappers that take a value. */
const valued = new Set('-u -g -n -k -s -S -C -I -P -L -a --user --unset --chdir'.split(' '));

/** peel drops wrappers and their options: `sudo -E env A=b bash -s` is `bash -s`. */
export function peel(words: readonly Word[]): readonly Word[] {
  let rest = words;
  for (;;) {
    const wrapper = baseName(rest[0]?.value.value ?? '');
    if (!wrappers.has(wrapper)) return rest;
    let i = 1;
    for (; i < rest.length; i++) {
      const text = rest[i]?.value.value ?? '';
      if (valued.has(text)) i += 1;
      else if (wrapper === 'timeout' && /^[0-9.]+[smhd]?$/.test(text)) continue;
      else if (!text.startsWith('-') && !/^[A-Za-z_]\w*=/.test(text)) break;
    }
    if (i >= rest.length) return rest;
    rest = rest.slice(i);
  }
}
