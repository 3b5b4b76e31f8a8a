import { defineConfig } from 'vitest/config';

/** The unit tests of one room, for Stryker, which names them (test/mutants/run.ts). */
export default defineConfig({
  test: {
    include: (process.env['MUTANTS_TESTS'] ?? '').split(' '),
    exclude: ['**/*.itg.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
