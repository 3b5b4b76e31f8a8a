import { expect, test } from 'vitest';
import { lintDockerfile } from '../../src/lint/index.ts';
import { base, sha } from './cases.ts';

/** Whether the download of the RUN counts as one that nothing worth the name has verified. */
function unverified(...lines: readonly string[]): boolean {
  const { findings } = lintDockerfile('Dockerfile', [base, ...lines, ''].join('\n'));
  const line = lines.findIndex((text) => text.startsWith('RUN')) + 2;
  return findings.some(
    ({ rule, location }) =>
      rule === 'dockerfile/unverified-download' && location.$case === 'file' && location.line === line,
  );
}
const fetch = 'curl -fsSLo /tmp/gh.tgz https://example.com/gh.tgz';

test.each([
  ['that the context brought', ['COPY sums /tmp/sums', `RUN ${fetch} && sha256sum -c /tmp/sums`]],
  ['that the context mounts', [`RUN --mount=type=bind,target=/tmp/sums ${fetch} && sha256sum -c /tmp/sums`]],
  [
    'that this RUN wrote with a checksum of its own',
    [`RUN ${fetch} && echo "${sha('1')}  /tmp/gh.tgz" > /tmp/sums && sha256sum -c /tmp/sums`],
  ],
])('a list %s verifies a download', (_name, lines) => {
  expect(unverified(...lines)).toBe(false);
});

test.each([
  [
    'that was fetched to where a committed one lay',
    ['COPY sums /tmp/sums', `RUN ${fetch} && curl -o /tmp/sums https://example.com/sums && sha256sum -c /tmp/sums`],
  ],
  ['that ADD fetched', ['ADD https://example.com/sums /tmp/sums', `RUN ${fetch} && sha256sum -c /tmp/sums`]],
  ['of another image', ['COPY --from=other sums /tmp/sums', `RUN ${fetch} && sha256sum -c /tmp/sums`]],
  [
    'that is mounted from another image',
    [`RUN --mount=type=bind,from=other,target=/tmp/sums ${fetch} && sha256sum -c /tmp/sums`],
  ],
  ['that is mounted from a cache', [`RUN --mount=type=cache,target=/tmp/sums ${fetch} && sha256sum -c /tmp/sums`]],
  ['that the context brings later', [`RUN ${fetch} && sha256sum -c /tmp/sums`, 'COPY sums /tmp/sums']],
  ['of nowhere', [`RUN ${fetch} && sha256sum -c /tmp/sums`]],
  ['beside a committed one, of nowhere', ['COPY sums /tmp/sums', `RUN ${fetch} && sha256sum -c /tmp/sums /srv/others`]],
])('a list %s verifies nothing', (_name, lines) => {
  expect(unverified(...lines)).toBe(true);
});
