import {execFile} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {BRIDGE} from '../../scripts/python.mjs';
import {electronPart, requireBuild, startDisplay, type Display} from '../support/parts.js';
import {PIECES, Provider} from '../support/provider.js';
import {sidecar} from '../support/real.js';
import {until} from '../support/until.js';

const PROBE = join(dirname(dirname(fileURLToPath(import.meta.url))), 'support', 'probe', 'sdks.cjs');
const electron = electronPart();

describe.skipIf(electron.missing !== null || sidecar.missing !== null)("providers' SDKs in an Electron", () => {
  const home = mkdtempSync(join(tmpdir(), 'taskflow-sdks-'));
  const provider = new Provider();
  let display: Display | null = null;

  beforeAll(async () => {
    requireBuild();
    display = await startDisplay();
  });

  afterAll(() => {
    display?.close();
    provider.close();
    rmSync(home, {recursive: true, force: true});
  });

  test('stream through the gateway in the main process, as they are', async () => {
    const origin = await provider.listen();
    provider.isHasty = ({body}) => !body.includes('slowly');
    const options = {
      command: sidecar.value,
      configDir: join(home, 'config'),
      cwd: home,
      env: {HOME: home, OPENAI_BASE_URL: origin, ANTHROPIC_BASE_URL: origin},
      secrets: {jwtSecretKey: 'a secret of the tests for tokens of users'},
    };

    const {stdout, stderr} = await promisify(execFile)(
      electron.value ?? '',
      [PROBE, `--user-data-dir=${home}`, '--no-sandbox', '--disable-gpu'],
      {
        env: {
          ...process.env,
          ...display?.variables,
          BRIDGE_DIST: join(BRIDGE, 'dist'),
          SIDECAR: JSON.stringify(options),
          KEY: 'sk-canary-of-the-gateway-0123456789',
        },
      },
    );

    expect(stdout, stderr).not.toBe('');
    expect(JSON.parse(stdout)).toMatchObject({
      whole: PIECES.join(''),
      chat: PIECES,
      message: PIECES,
      aborted: PIECES.slice(0, 1),
    });
    await until(() => provider.hangUps === 1, 5_000, 'the end of the aborted call to the provider');
  });
});
