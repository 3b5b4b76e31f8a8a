import { describe, expect, it } from 'vitest';
import { formatImageRef, isLoopback, parseImageRef } from '../../src/core/index.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseImageRef', () => {
  it.each([
    ['quay.io/ambient_code/acp_claude_runner:latest', 'quay.io', 'ambient_code/acp_claude_runner', 'latest', undefined],
    [`localhost:5000/app@${digest}`, 'localhost:5000', 'app', undefined, digest],
    [`127.0.0.1:5000/a/b:v1@${digest}`, '127.0.0.1:5000', 'a/b', 'v1', digest],
    ['localhost/x', 'localhost', 'x', undefined, undefined],
    ['[::1]:5000/x:1', '[::1]:5000', 'x', '1', undefined],
  ])('reads %s and writes it back', (text, registry, repository, tag, found) => {
    const ref = parseImageRef(text);
    expect([ref.registry, ref.repository, ref.tag, ref.digest]).toEqual([registry, repository, tag, found]);
    expect(formatImageRef(ref)).toBe(text);
  });

  it.each([
    ['ubuntu', 'no registry host'],
    ['library/ubuntu:22.04', 'no registry host'],
    ['quay.io/Upper/case', 'repository'],
    ['quay.io/a:', 'tag'],
    ['quay.io/a@sha256:123', 'digest'],
    [`quay.io/a@${digest}@${digest}`, 'more than one @'],
    ['quay.io//a', 'repository'],
    ['quay.io:port/a', 'host'],
    ['quay.io/a b', 'repository'],
    [`quay.io/${'a'.repeat(600)}`, 'longer than'],
  ])('refuses %s, saying why', (text, reason) => {
    expect(() => parseImageRef(text)).toThrow(reason);
  });
});

describe('isLoopback', () => {
  it('compares hosts, not prefixes', () => {
    expect(['127.0.0.1:5000', 'localhost:1', '[::1]:5000', '127.9.9.9'].map(isLoopback)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['127.0.0.1.evil.com', 'localhost.evil.com:5000', 'quay.io', '10.0.0.1'].map(isLoopback)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
