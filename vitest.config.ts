import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Whole systems (service, signers, databases) run inside the tests: two files at a time is what two cores bear.
    maxWorkers: 2,
  },
});
