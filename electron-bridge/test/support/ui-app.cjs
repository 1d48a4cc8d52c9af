// The interface as an app shows it: the bridge, its preload script, and the packed page. Nothing of its own.
const {dirname, join} = require('node:path');
const {BrowserWindow, app, ipcMain} = require('electron');
const BRIDGE = dirname(require.resolve('../../package.json'));
const {SECURE_WEB_PREFERENCES, denyByDefault, registerSidecarIpc, startSidecar, stopWithApp} = require(
  join(BRIDGE, 'dist', 'cjs', 'index.js'),
);

denyByDefault(app);
void app.whenReady().then(() => {
  const sidecar = startSidecar({
    command: JSON.parse(process.env.EXAMPLE_SIDECAR_COMMAND),
    configDir: join(app.getPath('userData'), 'sidecar'),
    dataDir: join(app.getPath('userData'), 'data'),
    env: JSON.parse(process.env.UI_SIDECAR_ENV ?? '{}'),
  });
  registerSidecarIpc(ipcMain, sidecar);
  stopWithApp(app, sidecar);
  const preload = join(BRIDGE, 'example', 'dist', 'preload.cjs');
  const window = new BrowserWindow({width: 1024, height: 600, webPreferences: {...SECURE_WEB_PREFERENCES, preload}});
  app.on('window-all-closed', () => app.quit());
  void window.loadFile(join(BRIDGE, 'dist', 'ui', 'index.html'));
});
