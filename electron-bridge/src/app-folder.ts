/** The folder of the app around the bridge, when that is an Electron. */
import {join} from 'node:path';

/** Name of the sidecar's folder below the app's own. */
const FOLDER = 'taskflow';

/** `taskflow` in the app's `userData`, so that no two apps share one; undefined outside of Electron's main process. */
export async function appConfigDir(): Promise<string | undefined> {
  if ((process as {type?: string}).type !== 'browser') return undefined;
  const {app} = await import('electron');
  return join(app.getPath('userData'), FOLDER);
}
