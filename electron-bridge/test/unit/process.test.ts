/** How the sidecar is spawned. */
import {ChildProcess} from 'node:child_process';
import {expect, test, vi} from 'vitest';
import {startProcess} from '../../src/process.js';

const spawn = vi.hoisted(() => vi.fn());
vi.mock('node:child_process', async (original) => ({
  ...(await original<typeof import('node:child_process')>()),
  spawn,
}));

test('the executable itself, without a shell, and on Windows without a console window', () => {
  spawn.mockReturnValue(new ChildProcess());
  startProcess({
    command: ['C:\\Über App\\taskflow-sidecar.exe', 'serve'],
    cwd: '.',
    environment: {},
    token: '0'.repeat(64),
    secrets: {encryptionKey: null, jwtSecretKey: null, apiKeyEncryptionSecret: null},
    app: {},
    onEvent: () => undefined,
    onLog: () => undefined,
  });

  expect(spawn).toHaveBeenCalledExactlyOnceWith(
    'C:\\Über App\\taskflow-sidecar.exe',
    ['serve', '--stdio'],
    expect.objectContaining({shell: false, detached: false, windowsHide: true}),
  );
});
