import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {startSidecar, type Sidecar, type SidecarOptions, type SidecarState} from '../../src/index.js';

const FAKE = join(dirname(fileURLToPath(import.meta.url)), 'fake-sidecar.mjs');

/** Options that start a fake sidecar with one behaviour; restarts are quick. */
export function fake(...behaviour: string[]): SidecarOptions {
  return {command: [process.execPath, FAKE, ...behaviour], pollIntervalMs: 50, restart: {delayMs: 10}};
}

/** A started sidecar with the states it went through and the log lines it wrote. */
export interface Watched {
  readonly sidecar: Sidecar;
  readonly states: SidecarState[];
  readonly log: string[];
}

export function watched(options: SidecarOptions): Watched {
  const sidecar = startSidecar(options);
  const states: SidecarState[] = [];
  const log: string[] = [];
  sidecar.on('state', (state) => states.push(state));
  sidecar.on('log', (line) => log.push(line));
  return {sidecar, states, log};
}

/** Wait for a state; one that is there already counts. */
export async function stateOf<K extends SidecarState['kind']>(
  {sidecar, states}: Watched,
  kind: K,
  timeoutMs = 20_000,
): Promise<Extract<SidecarState, {kind: K}>> {
  return new Promise((resolve, reject) => {
    const is = (state: SidecarState): state is Extract<SidecarState, {kind: K}> => state.kind === kind;
    if (is(sidecar.state)) {
      resolve(sidecar.state);
      return;
    }
    const deadline = setTimeout(() => {
      off();
      reject(new Error(`no state ${kind} within ${timeoutMs} ms, only ${JSON.stringify(states)}`));
    }, timeoutMs);
    const off = sidecar.on('state', (state) => {
      if (!is(state)) return;
      clearTimeout(deadline);
      off();
      resolve(state);
    });
  });
}
