/** What the bridge asks a person by itself. */

/** Where a support archive is to be written; null when nowhere. */
export async function askForBundleFile(): Promise<string | null> {
  const {app, dialog} = await import('electron');
  const {canceled, filePath} = await dialog.showSaveDialog({
    defaultPath: `${app.getName()}-support-${new Date().toISOString().slice(0, 10)}.zip`,
    filters: [{name: 'ZIP', extensions: ['zip']}],
  });
  return canceled || filePath === undefined ? null : filePath;
}
