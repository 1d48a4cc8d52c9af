/** The real sidecar in a folder of its own, started by the bridge. */
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import type {SidecarOptions} from '../../src/index.js';
import {watched, type Watched} from './fakes.js';
import {sidecarPart} from './parts.js';

export {temporaryFolder} from './folder.js';

export const sidecar = sidecarPart();

/** Start the real sidecar; it is stopped with the test. */
export function real(options: SidecarOptions & {readonly configDir: string}): Watched {
  const {configDir, env, ...rest} = options;
  const started = watched({
    command: sidecar.value ?? undefined,
    pollIntervalMs: 100,
    configDir: join(configDir, 'config'),
    // Its home too, so that nothing it writes goes anywhere else.
    env: {HOME: configDir, TMPDIR: configDir, ...env},
    cwd: configDir,
    ...rest,
  });
  onTestFinished(() => started.sidecar.stop());
  return started;
}

/** The same command below a shell that does something first: `"$@"` is the sidecar. */
export function below(shell: string): readonly [string, ...string[]] {
  return ['/bin/sh', '-c', shell, 'sh', ...(sidecar.value ?? [])];
}
