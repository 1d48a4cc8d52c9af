/**
 * The interface as an app shows it: the bridge, its preload script, and the packed page. Nothing of its own.
 *
 * UI_APP is JSON: `command`, `preload`, and optionally `env` for the sidecar and `custody: true`, which keeps the vault's
 * key in the system's secure store. What would be shown to the person then is in `globalThis.recoveryKeys`; the sidecar is
 * `globalThis.sidecar`, the bridge `globalThis.bridge`.
 */
const {dirname, join} = require('node:path');
const {BrowserWindow, app, ipcMain, safeStorage} = require('electron');
const BRIDGE = dirname(require.resolve('../../package.json'));
const bridge = require(join(BRIDGE, 'dist', 'cjs', 'index.js'));
const {SECURE_WEB_PREFERENCES, denyByDefault, registerSidecarIpc, startSidecar, stopWithApp} = bridge;

const {command, preload, env, custody} = JSON.parse(process.env.UI_APP);
globalThis.recoveryKeys = [];
const onRecoveryKey = (key) => {
  globalThis.recoveryKeys.push(key);
  return Promise.resolve(true);
};

denyByDefault(app);
void app.whenReady().then(() => {
  const home = app.getPath('userData');
  const keyCustody = {safeStorage, file: join(home, 'vault-key.bin'), onRecoveryKey};
  const sidecar = startSidecar({
    command,
    configDir: join(home, 'sidecar'),
    dataDir: join(home, 'data'),
    env,
    ...(custody === true ? {keyCustody} : {}),
  });
  Object.assign(globalThis, {sidecar, bridge});
  registerSidecarIpc(ipcMain, sidecar);
  stopWithApp(app, sidecar);
  const window = new BrowserWindow({width: 1024, height: 600, webPreferences: {...SECURE_WEB_PREFERENCES, preload}});
  app.on('window-all-closed', () => app.quit());
  void window.loadFile(join(BRIDGE, 'dist', 'ui', 'index.html'));
});
