/** Loaded before the example: answers its dialog with the first button, and keeps what it said. */
const {dialog} = require('electron');

globalThis.dialogsShown = [];
dialog.showMessageBox = (options) => {
  globalThis.dialogsShown.push(options);
  return Promise.resolve({response: 0, checkboxChecked: false});
};
