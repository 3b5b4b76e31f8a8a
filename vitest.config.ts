import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // All processors: the default leaves one of two idle.
    maxWorkers: '100%',
    reporters: ['default', './test/support/closing-line.ts'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html'],
      // What the unit tests alone reach (71.9, 67.0, 72.6 and 73.5 % on 2026-11-28), rounded down; real daemons show the rest.
      thresholds: { statements: 71, branches: 66, functions: 72, lines: 73 },
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.itg.test.ts'],
          // Loading the same modules anew for each of 80 files was half of the time. Rooms hold no state, and
          // effects go through a Host that each test makes for itself.
          isolate: false,
          // A machine may be busy: what takes a second on a quiet one took half a minute there.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/**/*.itg.test.ts'],
          // Real daemons on a two-core machine: one file at a time, so that timings mean something.
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 1_200_000,
        },
      },
    ],
  },
});
