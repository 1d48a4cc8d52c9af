/** The real sidecar in a folder of its own, started by the bridge. */
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import type {SidecarOptions} from '../../src/index.js';
import {watched, type Watched} from './fakes.js';
import {sidecarPart} from './parts.js';

export {temporaryFolder} from './folder.js';

export const sidecar = sidecarPart();

type Options = SidecarOptions & {readonly configDir: string};

/** Start the real sidecar; it is stopped with the test. */
export function real(options: Options): Watched {
  const started = start(options);
  onTestFinished(() => started.sidecar.stop());
  return started;
}

/** Start the real sidecar for several tests, which stop it when they are over. */
export function start({configDir, env, ...rest}: Options): Watched {
  return watched({
    command: sidecar.value ?? undefined,
    pollIntervalMs: 100,
    configDir: join(configDir, 'config'),
    // Its home too, so that nothing it writes goes anywhere else.
    env: {HOME: configDir, TMPDIR: configDir, ...env},
    cwd: configDir,
    ...rest,
  });
}

/** The same command below a shell that does something first: `"$@"` is the sidecar. */
export function below(shell: string): readonly [string, ...string[]] {
  return ['/bin/sh', '-c', shell, 'sh', ...(sidecar.value ?? [])];
}
