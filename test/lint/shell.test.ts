import { describe, expect, it } from 'vitest';
import { textOf } from '../../src/dockerfile/read/text.ts';
import { flatten } from '../../src/lint/shell/flatten.ts';
import { parseShell } from '../../src/lint/shell/parse.ts';

/** Names of the commands in a script, in the order in which they are met; each script is one that `bash -n` accepts. */
const scripts: readonly (readonly [string, string])[] = [
  ['a=(1 2 "$(x)" # comment\n 3); echo "${a[@]}"', 'x - echo'],
  ['declare -A m=([k]=v [l]="$(y)"); z', 'y declare z'],
  ['x+=(a b); y', '- y'],
  ['a[0]=1 b', 'b'],
  ["x=$'a\\'b'; y", '- y'],
  ['shopt -s extglob\nrm !(a|b) @(c|"d e")*', 'shopt rm'],
  ['foo () { bar; }; foo', 'bar foo'],
  ['foo ( ) ( bar ) > /x', 'bar'],
  ['function f { a; }; function g() { b; }', 'a b'],
  ['f() if a; then b; fi', 'a b'],
  ['coproc cat', 'cat'],
  ['coproc N { cat; }', 'cat'],
  ['select i in a $(b); do c; done', 'b c'],
  ['echo $(( $(x) + 1 ))', 'x echo'],
  ['echo "$((a); b)"', 'a b echo'],
  ['(( $(x) > 1 )) && y', 'x y'],
  ['((a); b)', 'a b'],
  ['for ((i=0;i<$(x);i++)); do a; done', 'x a'],
  ['for ((i=0;i<3;i++)) { a; }', 'a'],
  ['for f in *.c; { a; }', 'a'],
  ['for x; do a; done', 'a'],
  ['cat <<EOF\n$(x | y) `z` \\$(no)\nEOF', 'x y z cat'],
  ["cat <<'A' <<B\n$(no)\nA\n$(y)\nB\n", 'y cat'],
  ['case x in (a) b;; c|d) e;& *) f;;& esac', 'b e f'],
  ['[[ $x =~ ^(a|b)$ && ( $y == z ) ]] && c', '[[ c'],
  ['time a | b', 'a b'],
  ['while read -r x; do y; done < <(z)', 'z read y'],
  ['echo ${a[$(x)]} ${x//\\"/y} ${x^^} ${!x} ${x@Q} ${#x}', 'x echo'],
  ["echo ${x:-'a}b'}; y", 'echo y'],
  ['echo "${x:+"$(y)"}"', 'y echo'],
  ['diff <(a) >(b)', 'a b diff'],
  ['su -c "x; y" me', 'su x y'],
  ["find . -exec sh -c 'x | y' {} +", 'find x y'],
  ["echo 'x; y' | sh", 'echo sh x y'],
];

const read = (text: string): ReturnType<typeof flatten> => flatten(parseShell(textOf(text, 0, text.length)));

describe('shell code', () => {
  it.each(scripts)('%s', (text, names) => {
    const { commands, unreadable } = read(text);
    expect(commands.map(({ name }) => (name === '' ? '-' : name)).join(' ')).toBe(names);
    expect(unreadable).toEqual([]);
  });

  // bash takes a quote in a default differently in its versions; POSIX shells take it as it is.
  it('takes a quote in a default inside double quotes as it is', () => {
    expect(read(`echo "\${x:-it's}"; y`).commands.map(({ name }) => name)).toEqual(['echo', 'y']);
  });

  it.each(['sh -c "$CODE"', 'x=$(y); eval z; bash -c "$x"', 'y | sh', '{ x; y; } | bash'])('%s is not read', (text) => {
    expect(read(text).unreadable).toHaveLength(1);
  });
});
