import { describe, expect, test } from 'vitest';
import { buildahBuildArguments, buildahExportArguments, needsChroot } from '../../src/engines/buildah-args.ts';
import { cacheName } from '../../src/engines/buildah-cache.ts';
import { loopbackRegistries, registriesConf } from '../../src/engines/buildah-registries.ts';
import { buildxArguments } from '../../src/engines/buildx-args.ts';
import { dockerQuery } from '../../src/engines/docker-options.ts';
import { makeRequest } from './support.ts';

const rich = makeRequest({
  platform: 'linux/arm64',
  buildArgs: { VERSION: '1; rm -rf /' },
  labels: { title: 'a "b" $c' },
  networkMode: 'host',
  extraHosts: ['github.com:127.0.0.1', 'pypi.org:127.0.0.1'],
  cacheFrom: ['type=registry,ref=localhost:5000/cache'],
});

describe('the Engine API’s query', () => {
  test('asks Docker for BuildKit and gives the session', () => {
    expect(
      dockerQuery('docker', rich, { id: 'session-1', contextUrl: 'http://buildkit-session/session-1' }),
    ).toMatchObject({
      version: '2',
      session: 'session-1',
      remote: 'http://buildkit-session/session-1',
      platform: 'linux/arm64',
      networkmode: 'host',
      extrahosts: 'github.com:127.0.0.1,pypi.org:127.0.0.1',
      buildargs: '{"VERSION":"1; rm -rf /"}',
      labels: '{"title":"a \\"b\\" $c"}',
    });
  });

  test('does not ask Podman for BuildKit, which it would not know', () => {
    const query = dockerQuery('podman', rich);
    expect(query).not.toHaveProperty('version');
    expect(query).toMatchObject({ layers: '1', extrahosts: '["github.com:127.0.0.1","pypi.org:127.0.0.1"]' });
  });

  test('refuses a cache export, which neither can', () => {
    expect(() => dockerQuery('docker', makeRequest({ cacheTo: ['type=local,dest=x'] }))).toThrow(
      /export a build cache/,
    );
  });
});

describe('the command lines', () => {
  test('buildx writes one OCI archive without attestations, from standard input', () => {
    const cacheTo = ['type=registry,ref=localhost:5000/cache,mode=max'];
    const args = buildxArguments({ ...rich, cacheTo, noCache: true }, '/tmp/x/image.tar', 'farm');
    expect(args).toContain('VERSION=1; rm -rf /');
    expect(args.join(' ')).toBe(
      'buildx build --builder farm --platform linux/arm64 --progress plain --provenance=false --sbom=false ' +
        '--output type=oci,dest=/tmp/x/image.tar --file Dockerfile --no-cache --network host --allow network.host ' +
        '--add-host github.com:127.0.0.1 --add-host pypi.org:127.0.0.1 --cache-from type=registry,ref=localhost:5000/cache ' +
        '--cache-to type=registry,ref=localhost:5000/cache,mode=max --build-arg VERSION=1; rm -rf / --label title=a "b" $c -',
    );
  });

  test('buildah builds with layers, and without them when nothing may be cached', () => {
    expect(buildahBuildArguments(rich, undefined)).toContain('--layers');
    const args = buildahBuildArguments({ ...rich, noCache: true }, 'chroot');
    expect(args).not.toContain('--layers');
    expect(args.join(' ')).toContain('--isolation chroot');
    expect(args.at(-1)).toBe('-');
  });

  test('buildah exports plain layers into an OCI archive', () => {
    expect(buildahExportArguments('a:b', '/t/image.tar')).toEqual(
      'push --quiet --disable-compression --format oci a:b oci-archive:/t/image.tar'.split(' '),
    );
  });

  test.each([
    ['error running container: from /usr/bin/crun creating container: cgroups in hybrid mode not supported', true],
    ['Error: building at STEP "RUN true": setup network: netavark: nftables error: unable to execute nft', true],
    ['Error: building at STEP "RUN false": while running runtime: exit status 1', false],
    ['no space left on device', false],
  ])('chroot isolation is for runtimes that refuse: %s', (output, expected) => {
    expect(needsChroot(output)).toBe(expected);
  });

  test('one cache name per repository and platform, whatever is built', () => {
    const name = cacheName('runner-image.local/openshell:linux-amd64-0123456789ab');
    expect(cacheName('runner-image.local/openshell:linux-amd64-ffffffffffff')).toBe(name);
    expect(cacheName('runner-image.local/openshell:linux-arm64-0123456789ab')).not.toBe(name);
  });
});

describe('plain HTTP for Buildah', () => {
  test('is for the loopback registries of the Dockerfile alone', () => {
    const dockerfile = [
      'FROM --platform=$BUILDPLATFORM 127.0.0.1:5000/ubi@sha256:0 AS a',
      'FROM registry.access.redhat.com/ubi10/ubi AS b',
      'COPY --from=localhost:5001/uv:1 /uv /uv',
      'RUN --mount=type=bind,from=quay.io/x/y,target=/y true',
      'FROM 127.0.0.1.evil.example/x',
    ].join('\n');
    expect(loopbackRegistries(dockerfile)).toEqual(['127.0.0.1:5000', 'localhost:5001']);
    expect(registriesConf(['127.0.0.1:5000'])).toContain('location = "127.0.0.1:5000"\ninsecure = true');
  });
});
