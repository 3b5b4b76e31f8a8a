/** One rule with Dockerfiles that break it (`at` is line:column) and Dockerfiles that do not. */
export interface Cases {
  readonly fails: readonly { readonly name: string; readonly text: string; readonly at: readonly string[] }[];
  readonly passes: readonly { readonly name: string; readonly text: string }[];
}

export const sha = (digit: string): string => digit.repeat(64);
export const base = `FROM registry.example.com/base:1.2@sha256:${sha('a')}`;
const commit = '0123456789abcdef0123456789abcdef01234567';

const fails = (name: string, at: string | readonly string[], ...lines: readonly string[]): Cases['fails'][number] => ({
  name,
  text: `${lines.join('\n')}\n`,
  at: typeof at === 'string' ? [at] : at,
});
const passes = (name: string, ...lines: readonly string[]): Cases['passes'][number] => ({
  name,
  text: `${lines.join('\n')}\n`,
});
/** One RUN behind the base: it stands in line 2. */
const run = (name: string, at: string, ...lines: readonly string[]): Cases['fails'][number] =>
  fails(name, at, base, ...lines);
const fine = (name: string, ...lines: readonly string[]): Cases['passes'][number] => passes(name, base, ...lines);

export const cases: Readonly<Record<string, Cases>> = {
  'unknown-instruction': {
    fails: [
      run('a word that Docker does not know', '2:1', 'RNU true'),
      fails('RUN before FROM', '1:1', 'RUN true', base),
      run('a line behind two escape characters', '3:1', 'RUN true \\\\', 'tail'),
      run('behind ONBUILD', '2:1', 'ONBUILD RNU true'),
    ],
    passes: [fine('lower case', 'run true'), passes('ARG before FROM', 'ARG A=1', base)],
  },
  'refused-instruction': {
    fails: [
      run('ONBUILD of nothing', '2:1', 'ONBUILD'),
      run('ONBUILD of ONBUILD', '2:1', 'ONBUILD ONBUILD RUN true'),
      run('ENV without a value', '2:1', 'ENV PATH'),
      run('a flag that COPY does not have', '2:1', 'COPY --frm=x a b'),
      run('a quote that stays open', '2:1', 'WORKDIR "/a'),
      run('quotes around two words of COPY', '2:1', 'COPY "a b" /c'),
      run('a here-document without an end', '2:1', 'COPY <<EOF /a', 'RUN true'),
      run('numbers in a JSON array', '2:1', 'RUN ["sleep", 1]'),
      fails('two escape directives', '2:1', '# escape=`', '# escape=`', base),
      fails('a name that no stage can have', '1:1', `${base} AS 1st`),
      run('a variable in the stage of a mount', '2:1', 'RUN --mount=from=$X,target=/x true'),
    ],
    passes: [
      fine('a quoted here-document', 'RUN <<"E O F"', 'true', 'E O F', 'COPY <<E"O"F /a', 'x', 'EOF'),
      fine('a here-document for another descriptor', 'RUN 3<<EOF true', 'x', 'EOF'),
      fine('an escape character by itself', '\\', 'RUN true'),
    ],
  },
  'unreadable-shell': {
    fails: [
      run('a quote that is never closed', '2:12', 'RUN echo "a'),
      run('a here-document without an end', '2:14', 'RUN cat <<EOF'),
      run('nested code', '2:21', `RUN sh -c 'if x; fi'`),
    ],
    passes: [
      fine(
        'if, for, case, functions',
        'RUN f() { :; }; if a; then b; elif c; then d; else e; fi; for i in 1 2; do f; done; case x in a|b) c;; *) exit 1;; esac; [[ a == b && c < d ]] || exit 1',
      ),
    ],
  },
  'unknown-shell': {
    fails: [
      run('PowerShell', '3:5', 'SHELL ["pwsh", "-Command"]', 'RUN iwr https://example.com/i | iex'),
      run('a program in front that is given no shell', '3:5', 'SHELL ["conda", "run", "-n", "x"]', 'RUN pip install y'),
      fails('an image of Windows', '2:5', 'FROM mcr.microsoft.com/windows/servercore:ltsc2022', 'RUN dir'),
      run('PowerShell in sh', '2:25', 'RUN powershell -Command "iwr https://example.com/i | iex"'),
      run('pwsh -c', '2:13', 'RUN pwsh -c "iwr https://example.com/i | iex"'),
      run(
        'python -c',
        '2:16',
        `RUN python3 -c 'import urllib.request as u; exec(u.urlopen("https://example.com").read())'`,
      ),
      run('a here-document for Python', '3:1', 'RUN python3 <<EOF', 'import subprocess', 'EOF'),
      run(
        'a here-document with a #! line',
        '3:1',
        'RUN <<EOF',
        '#!/usr/bin/env python3',
        'import os; os.system("x")',
        'EOF',
      ),
      run('a file that COPY writes', '3:1', 'COPY <<EOF /run.py', '#!/usr/bin/python3', 'import socket', 'EOF'),
      run('code of Node at start', '2:21', 'CMD ["node", "-e", "fetch(process.argv[1])"]'),
      run('PHP', '2:12', `RUN php -r "copy('https://getcomposer.org/installer', 'i.php');"`),
      run('awk', '2:9', `RUN awk 'BEGIN { system("x") }'`),
      run('code that a program prints', '2:29', 'RUN echo aGkK | base64 -d | sh'),
      run('behind find', '2:29', `RUN find / -exec python3 -c 'import socket' {} +`),
      fails(
        'inherited, and by CMD',
        ['4:5', '5:17'],
        `${base} AS a`,
        'SHELL ["/usr/bin/fish", "-c"]',
        'FROM a',
        'CMD fish_greeting',
        'HEALTHCHECK CMD true',
      ),
    ],
    passes: [
      fine('a shell by its path', 'SHELL ["/usr/bin/dash", "-c"]', 'RUN true'),
      fine('the exec form needs none', 'SHELL ["pwsh", "-c"]', 'RUN ["true"]', 'HEALTHCHECK NONE'),
      fine('bash behind other programs', 'SHELL ["conda", "run", "-n", "x", "/bin/bash", "-c"]', 'RUN true'),
      fine(
        'Python that only computes',
        `RUN python3 -c 'import sys; print(sys.version)' && perl -e 'print 1' && awk '{ print $1 }' x`,
      ),
      fine('code that is printed', `RUN echo 'true' | sh`),
      fine(
        'scripts and versions',
        'RUN python3 setup.py -c x && node --version && python3 -V && bash install.sh -c "$X"',
      ),
      fine('back to sh', 'SHELL ["pwsh", "-c"]', 'SHELL ["/bin/sh", "-c"]', 'RUN true'),
    ],
  },
  'ignore-comment': {
    fails: [
      run('no reason', '2:1', '# lint: ignore sudo', 'RUN sudo true'),
      run('an unknown rule', '2:1', '# lint: ignore nothing-like-it -- because', 'RUN true'),
      run('nothing to silence', '2:1', '# lint: ignore sudo -- it was needed once', 'RUN true'),
      run('no instruction below', '2:1', '# lint: ignore sudo -- stray', '', 'RUN sudo true'),
    ],
    passes: [fine('silences what it names', '# lint: ignore sudo -- the base has no root', 'RUN sudo true')],
  },
  'unpinned-image': {
    fails: [
      fails('tag only', '1:6', 'FROM registry.example.com/base:1.2'),
      fails('behind a platform flag', '1:29', 'FROM --platform=linux/amd64 registry.example.com/base:1.2 AS x'),
      run('COPY --from', '2:13', 'COPY --from=ghcr.io/astral-sh/uv:0.12.7 /uv /usr/local/bin/uv'),
      run('RUN --mount from', '2:28', 'RUN --mount=type=bind,from=alpine:3,target=/x true'),
      fails('# syntax', '1:1', '# syntax=docker/dockerfile:1.4', base),
      fails('the default of an argument', '2:6', 'ARG BASE=registry.example.com/base:1', 'FROM $BASE'),
      fails(
        'a stage that comes later',
        '2:13',
        base,
        'COPY --from=later /a /a',
        `FROM registry.example.com/base:1.2@sha256:${sha('a')} AS later`,
      ),
      fails('a digest that is no digest', '1:6', 'FROM registry.example.com/base:1@sha256:abc'),
    ],
    passes: [
      passes(
        'scratch, stages by name and number',
        `${base} AS Build`,
        'FROM scratch',
        'COPY --from=build /a /a',
        'COPY --from=0 /a /a',
        'FROM build',
      ),
      passes('# syntax with a digest', `# syntax=docker/dockerfile:1.4@sha256:${sha('b')}`, base),
      passes(
        'a stage chosen by platform',
        `${base} AS tool-amd64`,
        `${base} AS tool-arm64`,
        'FROM tool-${TARGETARCH} AS tool',
        'FROM tool',
      ),
    ],
  },
  'latest-tag': {
    fails: [fails('FROM', '1:6', 'FROM registry.example.com:5000/base:latest')],
    passes: [passes('a port is no tag', `FROM registry.example.com:5000/base@sha256:${sha('a')}`)],
  },
  'image-without-version': {
    fails: [
      fails('a bare digest', '1:6', `FROM registry.example.com/base@sha256:${sha('a')}`),
      fails('latest beside a digest', '1:6', `FROM registry.example.com/base:latest@sha256:${sha('a')}`),
    ],
    passes: [
      fine('tag and digest'),
      passes('a comment above', '# base 10.0, seen 2026-06-24', `FROM registry.example.com/base@sha256:${sha('a')}`),
      passes(
        'a label',
        `FROM registry.example.com/base@sha256:${sha('a')}`,
        'LABEL org.opencontainers.image.base.name=registry.example.com/base:10.0',
      ),
    ],
  },
  'overridable-image': {
    fails: [
      fails('FROM', '2:6', `ARG BASE=registry.example.com/base:1@sha256:${sha('a')}`, 'FROM ${BASE}'),
      fails('COPY --from', '3:21', 'ARG NAME=x', base, `COPY --from=example/$NAME:1@sha256:${sha('a')} /a /a`),
    ],
    passes: [
      passes('an image that nothing pins', 'ARG VERSION=1', 'FROM registry.example.com/base:$VERSION'),
      passes('the platform', `FROM --platform=$BUILDPLATFORM registry.example.com/base:1@sha256:${sha('a')}`),
    ],
  },
  'pipe-to-shell': {
    fails: [
      run('curl | sh', '2:5', 'RUN curl -fsSL https://example.com/install.sh | sh'),
      run('wget -O- | bash', '2:5', 'RUN wget -qO- https://example.com/i | bash -s -- --yes'),
      run('through sudo and another pipe', '2:5', 'RUN curl https://example.com/i.gz | gunzip | sudo -E bash -'),
      run('sh -c "$(curl …)"', '2:11', 'RUN sh -c "$(curl -fsSL https://example.com/i)"'),
      run('bash <(curl …)', '2:10', 'RUN bash <(curl -s https://example.com/i)'),
      run('eval and backquotes', '2:10', 'RUN eval "`wget -qO- https://example.com/i`"'),
      run('source', '2:12', 'RUN source <(curl https://example.com/i)'),
      run('by a variable', '2:49', 'RUN CODE="$(curl https://example.com/i)"; sh -c "$CODE"'),
      run('the exec form', '2:19', 'RUN ["bash","-c","curl https://example.com/i | sh"]'),
      run(
        'across continued lines with a comment inside',
        '4:3',
        'RUN set -eu; \\',
        '  # fetch it',
        '  curl https://example.com/i \\',
        '  | bash',
      ),
      run('a here-document', '3:1', 'RUN <<EOF', 'curl https://example.com/i | sh', 'EOF'),
      run(
        'a here-document read by a shell',
        '3:1',
        'RUN bash -eu <<-"EOF"',
        'curl https://example.com/i | sh',
        '\tEOF',
      ),
      run('a subshell and a group', '2:6', 'RUN (curl https://example.com/i; echo) | { sh; }'),
      run('python', '2:5', 'RUN curl https://example.com/get-pip.py | python3 -'),
      run('ONBUILD', '2:13', 'ONBUILD RUN curl https://example.com/i | sh'),
      run('at start', '2:5', 'CMD curl https://example.com/i | sh'),
      run(
        'a script written by COPY',
        '4:1',
        'COPY <<EOF /run.sh',
        '#!/bin/sh',
        'curl https://example.com/i | sh',
        'EOF',
      ),
      run(
        'the second script written by COPY',
        '6:1',
        'COPY <<A <<B /bin/',
        '#!/bin/sh',
        'A',
        '#!/bin/sh',
        'curl https://example.com/i | sh',
        'B',
      ),
      run('behind an escaped escape character', '3:5', 'RUN echo a \\\\', 'RUN curl https://example.com/i | sh'),
      run('behind a here-document without an end', '3:5', 'COPY <<EOF /a', 'RUN curl https://example.com/i | sh'),
      fails(
        'with a backtick as escape character',
        '5:1',
        '# escape=`',
        base,
        'RUN echo a && `',
        '# comment',
        'curl https://example.com/i `',
        '| sh',
      ),
      run(
        'behind conda run',
        '3:5',
        'SHELL ["conda", "run", "-n", "x", "bash", "-c"]',
        'RUN curl https://example.com/i | sh',
      ),
      run('env in the exec form', '2:37', 'CMD ["/usr/bin/env", "bash", "-c", "curl https://example.com/i | sh"]'),
      run('su -c', '2:12', 'RUN su -c "curl https://example.com/i | sh" me'),
      run('find -exec', '2:25', 'RUN find / -exec sh -c "curl https://example.com/i | sh" \\;'),
      run('another user by gosu', '2:21', `RUN gosu me sh -ec 'curl https://example.com/i | sh'`),
      run('coproc', '2:16', 'RUN coproc X { curl https://example.com/i | sh; }'),
      run('select', '2:23', 'RUN select x in a; do curl https://example.com/i | sh; done'),
      run('a substitution in arithmetic', '2:16', 'RUN echo $(( $(curl https://example.com/i | sh) + 1 ))'),
      run('a substitution in a here-document', '3:3', 'RUN cat <<EOF', '$(curl https://example.com/i | sh)', 'EOF'),
      run('an array', '2:10', 'RUN a=($(curl https://example.com/i | sh))'),
      run('a function with a blank', '2:14', 'RUN foo () { curl https://example.com/i | sh; }; foo'),
      run('code that echo prints', '2:11', `RUN echo 'curl https://example.com/i | sh' | sh`),
      run('code that cat passes on', '3:1', 'RUN cat <<EOF | sh', 'curl https://example.com/i | sh', 'EOF'),
      run('a quoted marker', '3:1', 'RUN <<E"O"F', 'curl https://example.com/i | sh', 'EOF'),
      run('an escaped marker', '3:5', 'RUN \\<<EOF', 'RUN curl https://example.com/i | sh'),
      run('behind a quoted here-document marker', '3:5', 'RUN echo "a <<EOF b"', 'RUN curl https://example.com/i | sh'),
    ],
    passes: [
      fine('a pipe into a program that reads data', `RUN curl https://example.com/x.json | python3 -c 'import json'`),
      fine('the words in an echo', 'RUN echo "curl https://example.com | sh"'),
      fine('in a comment', 'RUN true # curl https://example.com | sh'),
      fine('installing curl', 'RUN dnf install -y curl | tee /log; bash script.sh'),
      fine('COPY of a plain file', 'COPY <<EOF /notes.txt', 'curl x | sh', 'EOF'),
    ],
  },
  'unverified-download': {
    fails: [
      run('no check', '2:5', 'RUN curl -fsSLo gh.tgz https://example.com/gh.tgz && tar xf gh.tgz'),
      fails(
        'a check against the upstream list',
        '2:5',
        base,
        'RUN curl -LO https://example.com/gh.tgz && curl -LO https://example.com/SHA256SUMS \\',
        '  && sha256sum -c SHA256SUMS',
      ),
      fails(
        'a checksum from the network',
        '2:5',
        base,
        'RUN curl -LO https://example.com/gh.tgz && curl https://example.com/gh.tgz.sha256 | sha256sum -c -',
      ),
      run(
        'a check of another file',
        '2:5',
        `RUN curl -Lo a.tgz https://example.com/a.tgz && echo "${sha('1')}  b.tgz" | sha256sum -c -`,
      ),
      run(
        'a check in an earlier place',
        '2:100',
        `RUN echo "${sha('1')}  a" | sha256sum -c - && curl -o a https://example.com/a`,
      ),
      run('streamed into tar', '2:5', 'RUN curl https://example.com/a.tgz | tar xz'),
      run('a package by URL', '2:5', 'RUN dnf install -y https://example.com/release.rpm'),
      run('ADD', '2:5', 'ADD https://example.com/a.tgz /a.tgz'),
      run(
        'a check whose failure is passed over',
        '2:5',
        `RUN curl -o a https://example.com/a && echo "${sha('1')}  a" | sha256sum -c - || true`,
      ),
      run(
        'a check whose failure is passed over behind &&',
        '2:5',
        `RUN curl -o a https://example.com/a; echo "${sha('1')}  a" | sha256sum -c - && tar xf a || echo bad`,
      ),
      run(
        'a check that only decides',
        '2:5',
        `RUN curl -o a https://example.com/a; if echo "${sha('1')}  a" | sha256sum -c -; then echo good; fi; sh a`,
      ),
      run(
        'a check that is turned round',
        '2:5',
        `RUN curl -o a https://example.com/a; ! echo "${sha('1')}  a" | sha256sum -c -`,
      ),
      run(
        'a check before more, without set -e',
        '2:5',
        `RUN curl -o a https://example.com/a; echo "${sha('1')}  a" | sha256sum -c -; tar xf a`,
      ),
      run(
        'a row of && before more, which set -e passes over',
        '2:13',
        `RUN set -e; curl -o a https://example.com/a; echo "${sha('1')}  a" | sha256sum -c - && tar xf a; rm a`,
      ),
      run(
        'a script of lines without set -e',
        '3:1',
        'RUN <<EOF',
        'curl -o a https://example.com/a',
        `echo "${sha('1')}  a" | sha256sum -c -`,
        'tar xf a',
        'EOF',
      ),
      run(
        'a decision the wrong way round',
        '2:13',
        `RUN set -e; curl -o a https://example.com/a; if echo "${sha('1')}  a" | sha256sum -c -; then exit 1; else tar xf a; fi`,
      ),
      run(
        'a check whose output goes down a pipe',
        '2:5',
        `RUN curl -o a https://example.com/a && echo "${sha('1')}  a" | sha256sum -c - | tee log`,
      ),
      run(
        'a check in one round of a loop',
        '2:5',
        `RUN curl -o a https://example.com/a; for f in a b; do echo "${sha('1')}  a" | sha256sum -c -; done`,
      ),
      run(
        'a check in a subshell whose failure is passed over',
        '2:5',
        `RUN curl -o a https://example.com/a; (echo "${sha('1')}  a" | sha256sum -c - || exit 1); tar xf a`,
      ),
      run(
        'a check in the background',
        '2:13',
        `RUN set -e; curl -o a https://example.com/a; echo "${sha('1')}  a" | sha256sum -c - & tar xf a`,
      ),
      run(
        'a check behind the use',
        '2:5',
        `RUN curl -o a https://example.com/a && tar xf a && echo "${sha('1')}  a" | sha256sum -c -`,
      ),
      run(
        'a check of a file of the same name',
        '2:5',
        `RUN curl -o /tmp/a https://example.com/a && echo "${sha('1')}  /opt/a" | sha256sum -c -`,
      ),
      run(
        'a check in another directory',
        '2:5',
        `RUN curl -o a https://example.com/a && cd /opt && echo "${sha('1')}  a" | sha256sum -c -`,
      ),
      run(
        'a committed list about something else',
        '3:5',
        'COPY checksums/node.sha256 /tmp/',
        'RUN curl -o /tmp/gh.tgz https://example.com/gh.tgz && sha256sum -c /tmp/node.sha256',
      ),
      run(
        'a stream, beside a check of something else',
        '2:5',
        `RUN curl https://example.com/a.tgz | tar xz && echo "${sha('1')}  /b" | sha256sum -c -`,
      ),
      run(
        'a signature by any key',
        '2:5',
        'RUN curl -O https://example.com/a && curl -O https://example.com/a.asc && gpg --recv-keys 12345678 && gpg --verify a.asc a',
      ),
      run(
        'a signature by whatever identity',
        '2:5',
        'RUN curl -O https://example.com/a && cosign verify-blob --bundle a.sigstore a',
      ),
      run(
        'a checksum that nothing sets',
        '2:5',
        'RUN wget https://example.com/a.tgz && echo "$SUM  a.tgz" | sha256sum -c -',
      ),
      fails(
        'in the same RUN only',
        '2:5',
        base,
        'RUN curl -o /a https://example.com/a',
        `RUN echo "${sha('1')}  /a" | sha256sum -c -`,
      ),
    ],
    passes: [
      fine(
        'a literal',
        `RUN curl -fsSLo /tmp/a.tgz https://example.com/a.tgz && echo "${sha('1')}  /tmp/a.tgz" | sha256sum -c -`,
      ),
      fine(
        'one literal per architecture',
        'ARG TARGETARCH',
        'RUN case "$TARGETARCH" in \\',
        `  amd64) sum=${sha('1')};; \\`,
        `  arm64) sum=${sha('2')};; \\`,
        '  *) echo "unknown" >&2; exit 1;; \\',
        '  esac; \\',
        '  curl -fsSLo a.tgz "https://example.com/a_${TARGETARCH}.tgz" \\',
        '  && echo "$sum  a.tgz" | sha256sum -c -',
      ),
      fine(
        'a committed list',
        'COPY checksums/gh.sha256 /tmp/',
        'RUN cd /tmp && curl -LO https://example.com/gh.tgz && sha256sum -c /tmp/gh.sha256',
      ),
      fine(
        'a mounted list',
        'RUN --mount=type=bind,source=checksums,target=/run/sums curl -LO https://example.com/gh.tgz && grep gh.tgz /run/sums/gh.sha256 | sha256sum -c -',
      ),
      fine(
        'a comparison',
        `RUN curl -o /a.bin https://example.com/a && [ "$(sha256sum /a.bin | cut -d' ' -f1)" = "${sha('3')}" ]`,
      ),
      fine('a here-string', `RUN curl -o /a https://example.com/a && sha256sum -c <<< "${sha('3')}  /a"`),
      fine(
        'a here-document',
        'RUN <<EOF',
        'set -e',
        'curl -o /a https://example.com/a',
        'sha256sum -c - <<SUMS',
        `${sha('4')}  /a`,
        'SUMS',
        'EOF',
      ),
      fine(
        'a check with a message',
        `RUN curl -o a https://example.com/a; echo "${sha('1')}  a" | sha256sum -c - || { echo "bad a" >&2; exit 1; }`,
      ),
      fine(
        'a check in a condition',
        `RUN curl -o a https://example.com/a; if ! echo "${sha('1')}  a" | sha256sum -c -; then exit 1; fi`,
      ),
      fine(
        'a check before all else',
        `RUN curl -o a https://example.com/a; echo "${sha('1')}  a" | sha256sum -c - && tar xf a || exit`,
      ),
      fine(
        'set -e, also with pipefail, by SHELL and by bash -e',
        `RUN set -euo pipefail; curl -o a https://example.com/a; echo "${sha('1')}  a" | sha256sum -c -; tar xf a`,
        'SHELL ["/bin/bash", "-eo", "pipefail", "-c"]',
        `RUN curl -o a https://example.com/a; echo "${sha('1')}  a" | sha256sum -c - | tee log; tar xf a`,
        'SHELL ["/bin/sh", "-c"]',
        `RUN bash -ec 'curl -o a https://example.com/a; echo "${sha('1')}  a" | sha256sum -c -; tar xf a'`,
      ),
      fine(
        'a check in the directory of the file',
        `RUN mkdir -p /opt/x && cd /opt/x && curl -O https://example.com/a && echo "${sha('1')}  /opt/x/a" | sha256sum -c -`,
      ),
      fine(
        'a signature by a full fingerprint, which needs no checksum of its own',
        `RUN curl -O https://example.com/a && curl -O https://example.com/a.asc && gpg --recv-keys ${commit.toUpperCase()} && gpg --batch --verify a.asc a && tar xf a`,
      ),
      fine(
        'a list signed by a committed key',
        'COPY keys/example.gpg /keys/',
        'RUN set -e; curl -O https://example.com/a; curl -O https://example.com/SHA256SUMS; curl -O https://example.com/SHA256SUMS.asc; \\',
        '  gpgv --keyring /keys/example.gpg SHA256SUMS.asc SHA256SUMS; sha256sum --ignore-missing -c SHA256SUMS; tar xf a',
      ),
      fine(
        'cosign with an identity',
        'RUN curl -O https://example.com/a && cosign verify-blob --certificate-identity x@example.com --certificate-oidc-issuer https://example.com --bundle a.sigstore a',
      ),
      fine(
        'an else that ends it',
        `RUN set -e; curl -o a https://example.com/a; if echo "${sha('1')}  a" | sha256sum -c -; then tar xf a; else exit 1; fi; rm a`,
      ),
      fine('ADD --checksum', `ADD --checksum=sha256:${sha('5')} https://example.com/a /a`),
      fine(
        'headers only, loopback, no URL',
        'RUN curl -I https://example.com; curl http://127.0.0.1:8001/health; curl --version',
      ),
    ],
  },
  'unpinned-git': {
    fails: [
      run('a clone', '2:5', 'RUN git clone https://github.com/a/b /src'),
      run('a tag', '2:5', 'RUN git clone --branch v1 https://github.com/a/b && cd b && git checkout v1'),
      run('ADD of a branch', '2:5', 'ADD https://github.com/a/b.git#main /src'),
    ],
    passes: [
      fine('a commit', `RUN git clone https://github.com/a/b /src && git -C /src checkout --detach ${commit}`),
      fine(
        'a fetch of a commit',
        `RUN git init x && cd x && git fetch --depth 1 https://github.com/a/b ${commit} && git checkout FETCH_HEAD`,
      ),
      fine('a comparison', `RUN git clone https://github.com/a/b && [ "$(git -C b rev-parse HEAD)" = ${commit} ]`),
      fine('a revision', `RUN git clone --revision=${commit} https://github.com/a/b`),
      fine('ADD of a commit', `ADD https://github.com/a/b.git#${commit} /src`),
    ],
  },
  'insecure-transport': {
    fails: [
      run('curl -k in a bundle', '2:5', 'RUN curl -fsSkLo a https://example.com/a'),
      run('wget', '2:5', 'RUN wget --no-check-certificate https://example.com/a'),
      run('npm', '2:5', 'RUN npm config set strict-ssl false'),
      run('ENV', '2:5', 'ENV NODE_TLS_REJECT_UNAUTHORIZED=0'),
      run('git', '2:5', 'RUN git -c http.sslVerify=false fetch'),
      run('an assignment', '2:5', 'RUN GIT_SSL_NO_VERIFY=true git fetch'),
      run('a value that means no, which git does not read', '2:5', 'ENV GIT_SSL_NO_VERIFY=0'),
      run('no value at all', '2:5', 'ENV GIT_SSL_NO_VERIFY='),
    ],
    passes: [
      fine('other options with k', 'RUN curl --keepalive-time 5 https://example.com -o k; ENV=0 true'),
      fine('an option value', 'RUN curl -H "-k" -o -k https://example.com/a'),
      fine('an option that is only printed', 'RUN echo wget --no-check-certificate'),
    ],
  },
  'distribution-upgrade': {
    fails: [
      run('dnf', '2:5', 'RUN dnf -y upgrade'),
      run('apt-get behind update', '2:23', 'RUN apt-get update && apt-get -y dist-upgrade'),
      run('apk', '2:5', 'RUN apk --no-cache upgrade'),
      run('microdnf', '2:5', 'RUN microdnf update -y'),
    ],
    passes: [
      fine(
        'install',
        'RUN apt-get update && apt-get install -y upgrade-tool; dnf install -y --nodocs curl; dnf clean all',
      ),
      fine('one package', 'RUN dnf -y upgrade openssl && apk upgrade --no-cache libssl3'),
    ],
  },
  'npm-unlocked': {
    fails: [
      run('global', '2:5', 'RUN npm install -g @openai/codex@0.117.0'),
      run('without ci', '2:5', 'RUN npm i'),
      run('npx', '2:5', 'RUN npx --yes cowsay'),
      run('npx of a version', '3:5', 'RUN npm ci', 'RUN npx cowsay@1'),
      run('yarn', '2:5', 'RUN yarn install'),
      run('prefix first', '2:5', 'RUN npm --prefix /opt install left-pad'),
    ],
    passes: [
      fine(
        'ci',
        'RUN npm ci --ignore-scripts --prefix /opt && npm run build && yarn install --immutable && pnpm install --frozen-lockfile',
      ),
      fine('npx behind npm ci', 'RUN npm ci', 'RUN npx tsc'),
      fine('dnf installs npm', 'RUN dnf install -y npm'),
    ],
  },
  'pip-unhashed': {
    fails: [
      run('pip', '2:5', 'RUN pip3 install pre-commit==4.2.0'),
      run('python -m pip', '2:5', 'RUN python3 -m pip install .'),
      run('uv pip', '2:5', 'RUN uv pip install x'),
      run('uv sync', '2:5', 'RUN uv sync'),
      run('uv tool', '2:5', 'RUN uv tool install x'),
    ],
    passes: [
      fine(
        'hashes and locks',
        'RUN pip install --require-hashes -r r.txt && uv sync --locked --no-dev && uv sync --frozen && uv pip install --require-hashes -r r.txt && uv python install 3.14.3',
      ),
      fine('no index', 'RUN pip install --no-index --find-links /wheels x'),
      fine('a local tree', 'RUN pip install --no-deps ./src'),
    ],
  },
  'unlocked-install': {
    fails: [
      run('go latest', '2:5', 'RUN go install example.com/x@latest'),
      run('cargo', '2:5', 'RUN cargo install x'),
      run('gem', '2:5', 'RUN gem install x'),
    ],
    passes: [fine('exact', 'RUN go install example.com/x@v1.2.3 && cargo install --locked x && go build ./...')],
  },
  'unverified-repository': {
    fails: [
      run('dnf', '2:5', 'RUN dnf install -y --nogpgcheck x'),
      run(
        'gpgcheck=0',
        '2:5',
        'RUN printf "[x]\\nbaseurl=https://example.com\\ngpgcheck=0\\n" > /etc/yum.repos.d/x.repo',
      ),
      run(
        'a repository without gpgcheck',
        '2:5',
        'RUN printf "[x]\\nbaseurl=https://example.com\\n" > /etc/yum.repos.d/x.repo',
      ),
      run('apt', '2:5', 'RUN apt-get install -y --allow-unauthenticated x'),
      run('trusted=yes', '2:5', 'RUN echo "deb [trusted=yes] https://example.com ./" > /etc/apt/sources.list.d/x.list'),
      run('config-manager', '2:5', 'RUN dnf config-manager --add-repo https://example.com/x.repo'),
      run('a written file', '3:1', 'COPY <<EOF /etc/yum.repos.d/x.repo', '[x]', 'gpgcheck=0', 'EOF'),
      run('a key from the network', '2:5', 'RUN rpm --import https://example.com/key'),
    ],
    passes: [
      fine(
        'signed',
        'RUN echo "deb [signed-by=/etc/key.gpg] https://example.com stable main" > /etc/apt/sources.list.d/x.list && dnf install -y x',
      ),
      fine('an option that is only printed', 'RUN echo never dnf install --nogpgcheck'),
      fine(
        'a checked repository',
        'RUN printf "[x]\\nbaseurl=https://example.com\\ngpgcheck=1\\n" > /etc/yum.repos.d/x.repo',
      ),
    ],
  },
  'uname-architecture': {
    fails: [
      run('uname -m', '2:10', 'RUN A="$(uname -m | sed s/x/y/)"; echo $A'),
      run('arch', '2:13', 'RUN echo "$(arch)"'),
    ],
    passes: [fine('uname -r', 'RUN uname -r && echo "uname -m"')],
  },
  'undeclared-platform-argument': {
    fails: [
      run('RUN', '2:10', 'RUN echo ${TARGETARCH}'),
      fails(
        'another stage declares it',
        '4:10',
        `${base} AS a`,
        'ARG TARGETARCH',
        'FROM scratch',
        'RUN echo $TARGETARCH',
      ),
      run('declared too late', '2:10', 'RUN echo $TARGETARCH', 'ARG TARGETARCH'),
      run('LABEL', '2:12', 'LABEL arch=$TARGETARCH'),
      fails('before FROM is not enough', '3:10', 'ARG TARGETARCH', base, 'RUN echo $TARGETARCH'),
    ],
    passes: [
      fine('declared', 'ARG TARGETARCH', 'RUN echo $TARGETARCH'),
      fine('single quotes', "RUN echo '$TARGETARCH'"),
      fine('set in the shell', 'RUN TARGETARCH=amd64; echo $TARGETARCH'),
      passes('inherited from the parent stage', `${base} AS a`, 'ARG TARGETARCH', 'FROM a', 'RUN echo $TARGETARCH'),
    ],
  },
  'architecture-default': {
    fails: [
      run('no default', '3:5', 'ARG TARGETARCH', 'RUN case $TARGETARCH in amd64) a=1;; arm64) a=2;; esac; echo $a'),
      run(
        'a default that goes on',
        '3:5',
        'ARG TARGETARCH',
        'RUN case "$TARGETARCH" in amd64) a=1;; *) echo what;; esac; echo $a',
      ),
      run('uname', '2:5', 'RUN case $(uname -m) in x86_64) a=1;; esac; echo $a'),
    ],
    passes: [
      fine(
        'a failing default',
        'ARG TARGETARCH',
        'RUN case $TARGETARCH in amd64) a=1;; *) echo "unknown $TARGETARCH" >&2; exit 1;; esac',
      ),
      fine(
        'a demanded variable',
        'ARG TARGETARCH',
        'RUN case $TARGETARCH in amd64) a=1;; esac; echo "${a:?unknown architecture}"',
      ),
      fine('a case on something else', 'RUN case $HOME in /root) true;; esac'),
      fine(
        'a case that only does more for some',
        'ARG TARGETARCH',
        'RUN case $TARGETARCH in amd64) dnf install -y x;; esac',
      ),
      fine('set -u', 'ARG TARGETARCH', 'RUN set -eu; case $TARGETARCH in amd64) a=1;; esac; echo $a'),
      fine('a default that is set before', 'ARG TARGETARCH', 'RUN a=0; case $TARGETARCH in amd64) a=1;; esac; echo $a'),
      fine('a fallback', 'ARG TARGETARCH', 'RUN case $TARGETARCH in amd64) a=1;; *) a=$TARGETARCH;; esac; echo $a'),
    ],
  },
  'unused-argument': {
    fails: [
      run('nothing reads it', '2:5', 'ARG IMAGE_EXPIRY=48h'),
      fails('used before its declaration only', '3:5', base, 'RUN echo $A', 'ARG A=1'),
      run('programs that do not know it', '2:5', 'ARG IMAGE_EXPIRY=48h', 'RUN dnf install -y git && rm -rf /tmp/x'),
      fails('global and unused', '1:5', 'ARG A=1', base),
      fails('used in another stage only', '2:5', `${base} AS a`, 'ARG A=1', base, 'RUN echo $A'),
    ],
    passes: [
      fine('a label', 'ARG GIT_COMMIT', 'LABEL org.opencontainers.image.revision=$GIT_COMMIT'),
      fine(
        'in braces, in double quotes, in a here-document',
        'ARG A',
        'ARG B',
        'ARG C',
        'RUN echo "${A:-x}" $B',
        'RUN <<EOF',
        'echo $C',
        'EOF',
      ),
      passes('global, declared again, used', 'ARG A=1', base, 'ARG A', 'RUN echo $A'),
      fine('read from the environment by known tools', 'ARG DEBIAN_FRONTEND=noninteractive', 'ARG http_proxy'),
      fine('in a JSON array', 'ARG A', 'COPY ["$A", "/a b"]'),
      fine('from the environment of a script', 'ARG NODE_OPTIONS', 'ARG MAKEFLAGS=-j2', 'RUN ./build.sh'),
      fine('from the environment in a JSON form', 'ARG MAKEFLAGS=-j2', 'RUN ["make"]'),
      fine('by another argument', 'ARG A=1', 'ARG B=$A', 'RUN echo $B'),
    ],
  },
  'undeclared-argument': {
    fails: [
      run('a label', '2:9', 'LABEL a=$GIT_COMMIT'),
      fails('global only', '3:10', 'ARG V=1', base, 'RUN echo $V'),
      fails('in FROM', '1:6', 'FROM $NOWHERE'),
      fails('WORKDIR with a global', '3:9', 'ARG D=/x', base, 'WORKDIR $D'),
      fails('COPY of a JSON array', '3:13', 'ARG D=/x', base, 'COPY ["a", "$D/b"]'),
    ],
    passes: [
      fine('declared, or from the base', 'ARG A', 'LABEL a=$A', 'ENV PATH=/x:$PATH'),
      fine('with a default', 'LABEL a=${A:-none}'),
    ],
  },
  'overridable-checksum': {
    fails: [
      run('a literal checksum', '2:5', `ARG SUM=${sha('1')}`, 'RUN echo $SUM'),
      fails('a global digest', '1:5', `ARG BASE=a/b:1@sha256:${sha('1')}`, 'FROM $BASE'),
      run('a commit', '2:5', `ARG COMMIT=${commit}`, 'RUN echo $COMMIT'),
      run('used in a check', '3:11', 'ARG SUM', 'RUN echo "$SUM  a" | sha256sum -c -'),
    ],
    passes: [
      fine('an ENV', `ENV SUM=${sha('1')}`, 'RUN echo "$SUM  a" | sha256sum -c -'),
      fine('a shell variable', `RUN SUM=${sha('1')}; echo "$SUM  a" | sha256sum -c -`),
    ],
  },
  'copy-over-symlink': {
    fails: [
      run(
        'a file',
        '3:1',
        'RUN ln -s /opt/claude/claude.exe /usr/local/bin/claude',
        'COPY wrapper.sh /usr/local/bin/claude',
      ),
      run('into a directory', '3:1', 'RUN ln -sf ../lib/x /usr/bin/tool', 'COPY tool /usr/bin/'),
      run('relative paths', '4:1', 'WORKDIR /usr/bin', 'RUN cd /usr && ln -s a bin/b', 'COPY x b'),
      fails('a link of the parent stage', '4:1', `${base} AS a`, 'RUN ln -s /x /y', 'FROM a', 'COPY f /y'),
    ],
    passes: [
      fine('removed first', 'RUN ln -s /x /y', 'RUN rm -f /y', 'COPY f /y'),
      fine('another path', 'RUN ln -s /x /y', 'COPY f /z'),
      fine('a hard link', 'RUN ln /x /y', 'COPY f /y'),
    ],
  },
  'late-recursive-change': {
    fails: [
      run('after COPY', '3:5', 'COPY src /app/src', 'RUN chown -R 1001:0 /app'),
      run('over the base', '2:5', 'RUN chmod -R g=u /opt'),
      run('after an earlier RUN', '3:25', 'RUN mkdir -p /sandbox/.venv', 'RUN mkdir /sandbox/a && chgrp -R 0 /sandbox'),
    ],
    passes: [
      fine(
        'in the RUN that makes the files',
        'RUN mkdir -p /sandbox/a && chgrp -R 0 /sandbox && chmod -R g=u /sandbox',
      ),
      passes(
        'in a stage that is not shipped',
        `${base} AS a`,
        'COPY src /app/src',
        'RUN chmod -R g=u /app',
        base,
        'COPY --from=a /app /app',
      ),
      fine('one file', 'COPY x /x', 'RUN chmod 755 /x'),
    ],
  },
  'copy-context': {
    fails: [
      run('COPY .', '2:6', 'COPY . /app'),
      run('with flags, exec form', '2:23', 'COPY --chown=1001:0 ["./", "/app"]'),
      run('a star', '2:5', 'ADD * /app'),
    ],
    passes: [
      fine('named', 'COPY src main.py /app/'),
      passes('from a stage', `${base} AS a`, base, 'COPY --from=a . /app'),
    ],
  },
  'add-local': { fails: [run('a file', '2:5', 'ADD a.tar.gz /')], passes: [fine('COPY', 'COPY a.tar.gz /')] },
  pipefail: {
    fails: [
      run('a lost failure', '2:5', 'RUN ls /x | tee /log'),
      run('set too late', '2:5', 'RUN ls /x | tee /log; set -o pipefail'),
    ],
    passes: [
      fine('set', 'RUN set -euo pipefail; ls /x | tee /log'),
      fine('by SHELL', 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]', 'RUN ls /x | tee /log'),
      fine('echo cannot fail', 'RUN echo a | tee /log'),
      fine('in a condition', 'RUN if ls | grep -q a; then true; fi; ls | grep b || true'),
    ],
  },
  secret: {
    fails: [
      run('a password in ENV', '2:5', 'ENV DB_PASSWORD=hunter2'),
      run('an argument to be filled', '2:5', 'ARG NPM_TOKEN', 'RUN echo $NPM_TOKEN'),
      run('a token in a command', '2:29', `RUN git config --global x.y ghp_${'a'.repeat(36)}`),
      run('a password in a URL', '2:14', 'RUN git pull https://user:pass@example.com/x'),
      run('a credentials file', '2:6', 'COPY id_rsa /root/.ssh/id_rsa'),
      run('the old ENV form', '2:5', 'ENV API_KEY abc def'),
    ],
    passes: [
      fine(
        'names of files and URLs',
        'ENV AMBIENT_CP_TOKEN_URL=https://example.com TOKEN_FILE=/run/secrets/t API_KEY=',
      ),
      fine('a secret mount', 'RUN --mount=type=secret,id=npm cat /run/secrets/npm'),
    ],
  },
  sudo: {
    fails: [run('sudo', '2:5', 'RUN sudo dnf install -y x'), run('behind env', '2:5', 'RUN env A=1 sudo true')],
    passes: [fine('installing it', 'RUN dnf install -y sudo && echo sudo')],
  },
  'root-user': {
    fails: [
      run('root', '2:1', 'USER root'),
      run('0:0', '3:1', 'USER 1001', 'USER 0:0'),
      fails('inherited from the parent stage', '2:1', `${base} AS a`, 'USER root', 'FROM a'),
      run('by argument', '3:1', 'ARG U=0', 'USER $U'),
    ],
    passes: [
      fine('a number', 'USER root', 'RUN true', 'USER 1001:0'),
      fine('none: the base decides'),
      passes('a builder stage as root', `${base} AS a`, 'USER root', base, 'USER 1001'),
    ],
  },
};
