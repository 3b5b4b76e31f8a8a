import type { Reporter, TestModule } from 'vitest/node';

/**
 * ClosingLine prints `N passed, N failed, N skipped` as the last line of a run. In CI and in `make test` a skipped
 * test is a failure, and is named: a check that did not run must never read as one that passed. `make test` sets
 * RUNNER_IMAGE_NO_SKIPS; by hand, one test may be asked for (`vitest run -t NAME`), which skips the others.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    const skipped: string[] = [];
    for (const module of modules) {
      const before = count.failed;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') count.passed += 1;
        else if (state === 'failed') count.failed += 1;
        else {
          count.skipped += 1;
          skipped.push(`${module.relativeModuleId}: ${test.fullName}`);
        }
      }
      // A file that broke before its first test, or in what its tests wait for, is a failure all the same.
      if (module.state() === 'failed' && count.failed === before) count.failed += 1;
    }
    const strict = process.env['CI'] !== undefined || process.env['RUNNER_IMAGE_NO_SKIPS'] !== undefined;
    if (strict && count.skipped > 0) process.exitCode = 1;
    setImmediate(() => {
      if (strict && count.skipped > 0)
        process.stdout.write(`\nskipped, which fails this run:\n${skipped.map((name) => `  ${name}\n`).join('')}`);
      process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
    });
  }
}
