/** How to run the sidecar of this checkout, for the tests and the generated types. */
import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

export const BRIDGE = dirname(dirname(fileURLToPath(import.meta.url)));
export const CHECKOUT = dirname(BRIDGE);

const programs = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
/** Isolated from PYTHON* variables and the present folder; finds `app` in this checkout. */
const RUN_APP =
  'import sys; sys.path.insert(0, sys.argv.pop(1)); sys.argv[0] = "taskflow-sidecar"; from app.__main__ import main; main()';

/**
 * A Python that has what the sidecar needs: the first `python` on the path that does, else the one of an environment
 * that scripts/run.py or scripts/test.py made here.
 *
 * @returns {string | null} its path
 */
export function findPython() {
  const candidates = [
    'python',
    'python3',
    ...['.venv-test', '.venv'].map((name) => join(CHECKOUT, name, ...programs)).filter((path) => existsSync(path)),
  ];
  return (
    candidates.find(
      (python) => spawnSync(python, ['-I', '-c', 'import litestar, psycopg2'], {stdio: 'ignore'}).status === 0,
    ) ?? null
  );
}

/**
 * The command that runs this checkout's sidecar; arguments are appended.
 *
 * @param {string} python
 * @returns {[string, ...string[]]}
 */
export function sidecarCommand(python) {
  return [python, '-I', '-c', RUN_APP, join(CHECKOUT, 'backend')];
}
