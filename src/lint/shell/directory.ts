import { resolvePath } from '../scope.ts';
import type { Flat } from './flat.ts';

/** directoriesOf returns the working directory of each command, undefined where a `cd` leads to an unknown place. */
export function directoriesOf(commands: readonly Flat[], start: string): (string | undefined)[] {
  let directory: string | undefined = start;
  return commands.map(({ name, args }) => {
    const here = directory;
    if (name === 'cd' || name === 'pushd') {
      const to = args.map(({ value }) => value.value).find((text) => !/^-[a-zA-Z]/.test(text));
      const isKnown =
        to !== undefined && to !== '-' && !to.includes('$_') && (directory !== undefined || to.startsWith('/'));
      directory = isKnown ? resolvePath(directory ?? '/', to) : undefined;
    } else if (name === 'popd') directory = undefined;
    return here;
  });
}

/** samePath: both paths name the same file, as far as can be said; unknown directories count by the last part alone. */
export function samePath(a: string, aFrom: string | undefined, b: string, bFrom: string | undefined): boolean {
  const last = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  if (last(a) !== last(b)) return false;
  const isKnown = (path: string, from: string | undefined): boolean => path.startsWith('/') || from !== undefined;
  if (!isKnown(a, aFrom) || !isKnown(b, bFrom) || /\$\(|`/.test(a + b)) return true;
  return (
    resolvePath(aFrom ?? '/', a.replace(/\$\{(\w+)\}/g, '$$$1')) ===
    resolvePath(bFrom ?? '/', b.replace(/\$\{(\w+)\}/g, '$$$1'))
  );
}
