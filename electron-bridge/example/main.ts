/** A complete app in one file: starts the sidecar, shows one window, stops both together. */
import {join} from 'node:path';
import {
  SECURE_WEB_PREFERENCES,
  denyByDefault,
  registerSidecarIpc,
  startSidecar,
  stopWithApp,
  type Command,
} from '@taskflow/electron-bridge';
import {BrowserWindow, app, clipboard, dialog, ipcMain, safeStorage} from 'electron';

async function main(): Promise<void> {
  app.setName('TaskFlow example');
  // Two copies of the app would want the same settings: the second one brings the first to the front and leaves.
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  denyByDefault(app);
  await app.whenReady();

  const userData = app.getPath('userData');
  const sidecar = startSidecar({
    command: developmentCommand(),
    configDir: join(userData, 'sidecar'),
    keyCustody: {safeStorage, file: join(userData, 'vault-key.bin'), onRecoveryKey: handOverRecoveryKey},
  });
  sidecar.on('log', (line) => console.error(line));
  registerSidecarIpc(ipcMain, sidecar);
  stopWithApp(app, sidecar);

  const window = openWindow();
  app.on('second-instance', () => window.focus());
  app.on('window-all-closed', () => app.quit());
}

function openWindow(): BrowserWindow {
  const window = new BrowserWindow({
    width: 900,
    height: 860,
    show: false,
    autoHideMenuBar: true,
    webPreferences: {...SECURE_WEB_PREFERENCES, preload: join(__dirname, 'preload.cjs')},
  });
  window.once('ready-to-show', () => window.show());
  void window.loadFile(join(__dirname, 'index.html'));
  return window;
}

/** The only copy of the key outside the secure store: without it the vault is lost together with the store. */
async function handOverRecoveryKey(recoveryKey: string): Promise<boolean> {
  const {response} = await dialog.showMessageBox({
    type: 'info',
    title: 'Recovery key',
    message: 'Keep this recovery key in a safe place.',
    detail:
      `${recoveryKey}\n\nThe vault's key will be kept in this computer's secure store. ` +
      'If that is ever lost, this recovery key opens the vault again.',
    buttons: ['Copy, and use the secure store', 'Use a key file instead'],
    defaultId: 0,
    cancelId: 1,
  });
  if (response === 0) clipboard.writeText(recoveryKey);
  return response === 0;
}

/** Packaged, the sidecar is found below `resources`; `npm run example` names a command instead. */
function developmentCommand(): Command | undefined {
  const command = process.env['EXAMPLE_SIDECAR_COMMAND'];
  return command === undefined ? undefined : (JSON.parse(command) as Command);
}

void main();
