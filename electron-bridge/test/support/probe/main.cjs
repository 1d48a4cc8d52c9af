/**
 * The smallest app around the bridge as it is built, told by the variable PROBE what to do:
 * `{"options": {...}, "until": KIND, "stop": "begin" | "await", "custody": true}`.
 *
 * It prints `reached` once the sidecar is in that state, and then does what a line on its stdin says: `quit` or `close`.
 * How far it has come is told on stderr.
 */
const {join} = require('node:path');
const {createInterface} = require('node:readline');
const {BrowserWindow, app} = require('electron');
const {SECURE_WEB_PREFERENCES, startSidecar, stopWithApp} = require(join(process.env.BRIDGE_DIST, 'cjs', 'index.js'));

const {options, until, stop, custody} = JSON.parse(process.env.PROBE);

/** A secure store whose question about the recovery key nobody answers. */
const unanswered = {
  file: join(app.getPath('userData'), 'vault-key.bin'),
  safeStorage: {
    isEncryptionAvailable: () => true,
    encryptString: (text) => Buffer.from(text),
    decryptString: (sealed) => sealed.toString(),
  },
  onRecoveryKey: () => new Promise(() => undefined),
};

app.on('window-all-closed', () => app.quit());
void app.whenReady().then(async () => {
  const sidecar = startSidecar({...options, ...(custody === true ? {keyCustody: unanswered} : {})});
  stopWithApp(app, sidecar);
  sidecar.on('state', ({kind}) => console.error(kind));
  const window = new BrowserWindow({show: false, webPreferences: SECURE_WEB_PREFERENCES});
  await window.loadURL('data:text/html,<title>probe</title>');
  console.error(`window loaded, sidecar ${sidecar.state.kind}`);
  if (stop !== undefined) {
    await sidecar.ready();
    const stopped = sidecar.stop();
    if (stop === 'await') await stopped;
  }
  if (sidecar.state.kind !== until) {
    await new Promise((resolve) => sidecar.on('state', ({kind}) => kind === until && resolve()));
  }
  createInterface({input: process.stdin}).on('line', (line) => (line === 'quit' ? app.quit() : window.close()));
  console.log('reached');
});
