/** The whole app: starts the sidecar, shows one window, stops both together. */
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {
  SECURE_WEB_PREFERENCES,
  denyByDefault,
  registerSidecarIpc,
  startSidecar,
  stopWithApp,
} from '@taskflow/electron-bridge';
import {BrowserWindow, app, ipcMain, shell} from 'electron';

const require = createRequire(import.meta.url);

async function main(): Promise<void> {
  // Two copies of the app would want the same settings: the second one brings the first to the front and leaves.
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  // No navigation, no new windows, no permissions; links of https open in the person's browser.
  denyByDefault(app, {onLink: (url) => void (url.startsWith('https://') && shell.openExternal(url))});

  // Packaged, it is below `resources`; here, npm has installed it. Its settings are in `taskflow` in the app's `userData`.
  // It begins before Electron is ready, because both take a while and neither needs the other for that.
  const sidecar = startSidecar({app: {name: app.getName(), version: app.getVersion()}});
  sidecar.on('log', (line) => console.error(line));
  registerSidecarIpc(ipcMain, sidecar);
  stopWithApp(app, sidecar);

  await app.whenReady();
  const window = openWindow();
  app.on('second-instance', () => window.focus());
  app.on('window-all-closed', () => app.quit());
}

function openWindow(): BrowserWindow {
  const preload = join(import.meta.dirname, 'preload.cjs');
  const window = new BrowserWindow({
    width: 1100,
    height: 800,
    autoHideMenuBar: true,
    webPreferences: {...SECURE_WEB_PREFERENCES, preload},
  });
  // The product's own interface. A page of yours has `window.taskflow` too.
  void window.loadFile(require.resolve('@taskflow/electron-bridge/ui/index.html'));
  return window;
}

void main();
