import {defineConfig} from 'vitest/config';

/** How long a condition is waited for: a second, the default, is little on a busy computer. */
const expect = {poll: {timeout: 20_000}};
/** Half of the time is waiting: for the sidecar, for Electron, for a page, for PostgreSQL. */
const maxWorkers = 2;

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
        // Real processes: the sidecar, PostgreSQL, npm.
        test: {
          name: 'process',
          expect,
          include: ['test/process/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers,
          sequence: {groupOrder: 1},
        },
      },
      {
        // A real Electron.
        test: {
          name: 'e2e',
          expect,
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers,
          sequence: {groupOrder: 1},
          maxConcurrency: 4,
        },
      },
      {
        // The interface in a real Chromium, served by the real sidecar.
        test: {
          name: 'ui',
          expect,
          include: ['renderer/test/browser/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers,
          sequence: {groupOrder: 2},
        },
      },
    ],
  },
});
