/**
 * Dockerfiles for the oracle: written by hand, and mutants of them by a seeded generator. Run by itself this file prints
 * them as the oracle takes them, one JSON object a line.
 */
const base = 'FROM scratch';
const behind = (...lines: string[]): string => [base, ...lines, ''].join('\n');

/** What people write: each is read without an error. */
const accepted: readonly string[] = [
  behind('RUN echo a \\', '  && echo b', 'CMD ["sh", "-c", "true"]'),
  behind('RUN echo a \\', '', '  # a comment', '  && echo b', 'ENV A=1 B="two words" C=three\\ words'),
  behind('RUN echo a \\\\', 'RUN echo b'),
  behind('RUN echo a \\\\\\', 'RUN echo b'),
  behind('RUN echo a \\  ', '  b', 'USER 1001'),
  behind('\\', 'RUN a', 'RUN b \\', '\\', 'c'),
  behind('RUN <<EOF', 'echo a', 'EOF', 'RUN b'),
  behind('RUN <<E"O"F', 'echo a', 'EOF', 'RUN b'),
  behind('RUN \\<<EOF', 'RUN b'),
  behind('RUN <<"E O F"', 'echo a', 'E O F', 'RUN b'),
  behind("RUN <<'EOF' sh", 'echo $a', 'EOF', 'RUN b'),
  behind('RUN 3<<EOF cat', 'a', 'EOF', 'RUN b'),
  behind('RUN <<-EOF', '\techo a', '\t\tEOF', 'RUN b'),
  behind('RUN << EOF', 'a', 'EOF', 'RUN <<   "EOF"', 'b', 'EOF'),
  behind('RUN cat <<< "EOF"', 'RUN b <<<EOF'),
  behind('RUN echo "a <<EOF b"', 'RUN b'),
  behind("RUN echo 'it <<EOF", 'RUN b'),
  behind('RUN echo "it <<EOF', 'RUN b'),
  behind('RUN cat <<A <<B', 'a', 'A', 'b', 'B', 'RUN c'),
  behind('RUN cat <<EOF > ${F:-x}', 'a', 'EOF'),
  behind('RUN X="${A:-b}" cat <<EOF', 'a', 'EOF'),
  behind('RUN echo ${!A} <<EOF', 'RUN b'),
  behind('RUN echo ${A,,} <<EOF', 'RUN b'),
  behind('RUN echo ${A#*<<} <<EOF', 'a', 'EOF'),
  behind('RUN echo ${A/x/y} <<EOF', 'a', 'EOF'),
  behind('RUN echo $((1<<2))', 'RUN b'),
  behind('RUN [ 1 -lt 2 ] && a<<EOF', 'RUN b'),
  behind('RUN ["sh", "-c", "cat <<EOF"]', 'RUN b'),
  behind('RUN ["sh", "-c" <<EOF', 'a', 'EOF'),
  behind('RUN <<EOF\\', ' sh', 'a', 'EOF'),
  behind('RUN --mount=type=bind,from=x,target=/y --network=none --security=sandbox a'),
  behind('RUN --mount="type=cache,target=/x" a', "RUN --mount='type=secret,id=a' a"),
  behind('RUN --mount=\\"type=bind\\",target=/x a'),
  behind('RUN -- --mount=type=bind a', 'RUN --device=x a'),
  behind('RUN', 'RUN []', 'CMD', 'ENTRYPOINT []'),
  behind('COPY <<EOF /a', 'x', 'EOF', 'COPY <<A <<B /d/', 'x', 'A', 'y', 'B'),
  behind('COPY --from=0 --chown=1:0 --chmod=755 --link --parents --exclude=a --exclude=b x y'),
  behind('COPY --link=false --parents=TRUE a b', 'ADD --link --keep-git-dir=true --checksum=sha256:0 --unpack a b'),
  behind('COPY ["a b", "c"]', 'COPY a\\ b c', 'ADD [ "a" , "b" ]   ', 'ADD ["a", "b"] x'),
  behind('COPY ["a<<EOF", "b"]', 'COPY a "<<b" c'),
  behind('ONBUILD RUN <<EOF', 'a', 'EOF', 'ONBUILD COPY --from=x a b', 'onbuild run a'),
  behind('ONBUILD NOTHING a', 'ONBUILD COPY a', 'ONBUILD RUN ["a"]'),
  behind('ENV A b c', 'ENV A  "b', 'ENV A=b\\', 'c D=e', 'LABEL a="b c" d=\'e f\'', 'LABEL a.b c'),
  behind('ENV "A=b" C=d', 'ENV A="x=y" B=${A:-"z z"} C=$A$A', "ENV A='$B' B=\\$A"),
  behind('ARG A', 'ARG A=b B C="d e"', 'ARG A="$B" C=${D:+x} E=${F:?no} G=${H#x*} I=${J//a/b}'),
  behind(
    'EXPOSE 80 443/tcp',
    'EXPOSE $P',
    'USER a b',
    'WORKDIR /a b',
    'STOPSIGNAL --x',
    'VOLUME /a "/b"',
    'VOLUME ["/a"]',
  ),
  behind('HEALTHCHECK NONE', 'HEALTHCHECK CMD a b', 'HEALTHCHECK --interval=1m30s --timeout=3s --retries=3 CMD ["a"]'),
  behind('HEALTHCHECK --start-period=0 --start-interval=1ms cmd a', 'HEALTHCHECK CMD  [ "a" ]'),
  behind('SHELL ["bash", "-c"]', 'RUN a', 'SHELL ["pwsh"]', 'MAINTAINER a b', 'maintainer <a@b>'),
  `# syntax=docker/dockerfile:1\n# escape=\`\n# check=skip=all\n${behind('RUN a `', 'b', 'COPY c:\\x\\ d')}`,
  `# escape=\`\n${behind('RUN a `', '# comment', '', 'b``', 'RUN c', 'RUN <<EOF', 'x', 'EOF', 'ENV A="`"b`""')}`,
  `#escape = \`\n#\n# syntax=late\n${behind('RUN a `', 'b')}`,
  `# other=1\n# escape=\`\n${behind('RUN a \\', 'b')}`,
  `  # escape=\`\n  # syntax=x\n${behind('RUN a `', 'b')}`,
  `\n# escape=\`\n${behind('RUN a \\', 'b')}`,
  `#!/usr/bin/env runner\n# syntax=a/b:1 more\n# escape=\`\n${behind('RUN a \\', 'b')}`,
  `// syntax=a/b:2\n${behind('RUN a')}`,
  '{"syntax": "a/b:3"}',
  `\uFEFF# syntax=a/b:1\n${behind('RUN a')}`,
  `\uFEFF${behind('RUN a')}`,
  `# ESCAPE=\`\n# Syntax = a/b \n${behind('RUN a `', 'b')}`,
  behind('RUN a \\', '# b').replaceAll('\n', '\r\n'),
  behind('RUN <<EOF', 'a', 'EOF', 'RUN b').replaceAll('\n', '\r\n'),
  'FROM a AS b\nFROM --platform=$BUILDPLATFORM c as D-1.2_x\nFROM b\nFROM $A AS e\n',
  'ARG A=1\nARG B\nFROM ${A}-${B:-x}\nARG A\nCOPY --from=${A} a b\n',
  'from a\nrun b\ncopy c d\nenv e f\n',
  '\t FROM a\n \tRUN b\n\fRUN c\n',
  behind('RUN\ta', 'RUN  \t b', 'COPY\ta\tb', 'ENV\tA\tb'),
  behind('# a', ' # b', 'RUN a # b \\', '# c', 'd'),
  behind('RUN a'.padEnd(300, ' b'), 'CMD é à ñ', 'LABEL a="ü b" b=\u00a0c'),
  behind('RUN echo "a \\', '# no comment of the shell', 'b"'),
  'FROM a\nRUN b \\',
  'FROM a\nRUN b \\\n# c',
  'FROM a\nRUN b \\\n\n\n',
];

/** What BuildKit refuses, in whole or in one instruction. */
const refused: readonly string[] = [
  '',
  '\n# only a comment\n',
  'RUN a\nFROM b\n',
  'ARG A\nENV B=c\nFROM d\n',
  behind('ENV PATH', 'RUN a'),
  behind('ENV A=b c', 'LABEL a'),
  behind('ENV =a', 'LABEL =a', 'ARG =a', 'ENV', 'ARG', 'LABEL'),
  behind('COPY --frm=a b c', 'COPY --from b c', 'COPY --link=maybe b c', 'COPY --link= b c'),
  behind('COPY --from=a --from=b c d', 'ADD --from=a b c', 'RUN --nothing a', 'CMD --help', 'ENTRYPOINT --x=y a'),
  behind('ENV --x=y A=b', 'LABEL --a b=c', 'USER --x', 'EXPOSE --x 80', 'WORKDIR --a /b', 'VOLUME --a /b'),
  behind('ARG --x=y A', 'STOPSIGNAL --x 9', 'MAINTAINER --x y'),
  behind('COPY a', 'ADD a', 'COPY', 'COPY []', 'COPY ["a"]', 'COPY a <<EOF', 'x', 'EOF'),
  behind('COPY "a b" c', 'ADD a "b', "WORKDIR 'a", 'USER "', 'ENV A="b', "LABEL a='b", 'ARG A="b'),
  behind('COPY ${a b', 'COPY ${} b', 'WORKDIR ${:a}', 'ENV A=${B:x}', 'ENV A=${B:#x}', 'USER ${!A}'),
  behind('RUN [1]', 'RUN a'),
  behind('CMD ["a", null]'),
  behind('COPY [{}]'),
  behind('RUN ["a", "b"', 'RUN ["a",]', "RUN ['a']", 'SHELL bash', 'SHELL []', 'SHELL'),
  behind('RUN --mount=from=$A,target=/x a', 'RUN --mount=FROM=x$A a', 'RUN --mount=from=$ a', 'RUN --mount= a'),
  behind('RUN --mount=a"b a', 'RUN --mount=\\"a a', 'RUN --mount=\\"a\\"b a', 'RUN --mount=a,\\"b\\" c'),
  behind('RUN --network=other a', 'RUN --network=host --network=host a', 'RUN --security=none a', 'RUN --network a'),
  behind('HEALTHCHECK', 'HEALTHCHECK CMD', 'HEALTHCHECK NONE a', 'HEALTHCHECK OTHER a', 'HEALTHCHECK CMD []'),
  behind('HEALTHCHECK --interval=5 CMD a', 'HEALTHCHECK --retries=-1 CMD a', 'HEALTHCHECK --retries=x CMD a'),
  behind('HEALTHCHECK --interval=1us CMD a', 'HEALTHCHECK --timeout=-1s CMD a', 'HEALTHCHECK --x=1 CMD a'),
  behind('ONBUILD', 'ONBUILD ONBUILD RUN a', 'ONBUILD FROM a', 'ONBUILD MAINTAINER a', 'ONBUILD --x RUN a'),
  behind('RNU a', 'RUN:a', '- a', '\\a', '}', '<<EOF', 'EOF'),
  behind('RUN <<EOF', 'a'),
  behind('RUN <<EOF', 'a', ' EOF', 'RUN b'),
  behind('COPY <<-"A" <<B /c', 'A', 'x'),
  behind('RUN cat <<$A', 'RUN b'),
  'FROM\nFROM a b\nFROM a AS\nFROM a AS 1\nFROM a AS b c\nFROM a AS b/c\nFROM a IS b\n',
  'FROM --platform a\nFROM --x=y a\nFROM "a\nFROM a"b" AS c\n',
  `# escape=\`\n# escape=\\\n${base}\n`,
  `# syntax=a\n# syntax=b\n${base}\n`,
  `# escape=x\n${base}\n`,
  behind('EXPOSE', 'USER', 'WORKDIR', 'VOLUME', 'VOLUME [""]', 'VOLUME []', 'STOPSIGNAL', 'MAINTAINER'),
  behind(`RUN ${'a'.repeat(70_000)}`, 'RUN b'),
];

/** xorshift32: the mutants are the same everywhere. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const inserts = [
  ...Array.from('\\`"\'$<#\n\t [],-={}:'),
  '\\\n',
  '<<EOF',
  '<<-',
  'EOF\n',
  '${A',
  '--',
  'ONBUILD ',
  'RUN ',
  '\n# a\n',
  '\r\n',
  '\\\\',
  '""',
];

function mutate(text: string, next: (below: number) => number): string {
  let out = text;
  for (let times = 1 + next(3); times > 0; times--) {
    const at = next(out.length + 1);
    const to = Math.min(out.length, at + 1 + next(3));
    switch (next(4)) {
      case 0:
        out = out.slice(0, at) + out.slice(to);
        break;
      case 1:
        out = out.slice(0, at) + out.slice(at, to) + out.slice(at);
        break;
      default:
        out = out.slice(0, at) + (inserts[next(inserts.length)] ?? '') + out.slice(at);
    }
  }
  return out;
}

const written: readonly string[] = [...accepted, ...refused];

/** oracleCases returns the Dockerfiles written by hand and behind them mutants, `count` in all. */
export function oracleCases(count: number): string[] {
  const next = generator(17);
  // Half a character is none, and BuildKit takes flags byte by byte: nothing but ASCII is changed.
  const seeds = written.filter((text) => text !== '' && text.length < 2_000 && /^[\t-\r -~]*$/.test(text));
  const mutants = Array.from({ length: count - written.length }, () => mutate(seeds[next(seeds.length)] ?? '', next));
  return [...written, ...mutants];
}

if (import.meta.main)
  for (const text of oracleCases(Number(process.argv[2]))) process.stdout.write(`${JSON.stringify({ text })}\n`);
