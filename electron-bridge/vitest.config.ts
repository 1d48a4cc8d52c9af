import {defineConfig} from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'renderer/test/unit/**/*.test.ts'],
          // They take milliseconds, but not on a computer that is busy with other things.
          testTimeout: 30_000,
          typecheck: {enabled: true, include: ['test/types/**/*.test-d.ts']},
        },
      },
      {
        // Real processes: the sidecar, PostgreSQL, npm. Like those below they run beside the Python tests.
        test: {
          name: 'process',
          include: ['test/process/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        // A real Electron.
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          maxConcurrency: 4,
        },
      },
      {
        // The interface in a real Chromium, served by the real sidecar.
        test: {
          name: 'ui',
          include: ['renderer/test/browser/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Half of the time is waiting: for the sidecar, for the page, for PostgreSQL.
          maxWorkers: 2,
          // Beside nothing else: the projects above run one after the other.
          sequence: {groupOrder: 1},
        },
      },
    ],
  },
});
