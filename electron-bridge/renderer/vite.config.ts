/** Builds the interface into the Python package, which serves it at `/`; `scripts/ui.mjs` copies it for Electron apps. */
import {fileURLToPath} from 'node:url';
import react from '@vitejs/plugin-react';
import {defineConfig} from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Relative addresses, so that the same files work at `/` and below `file:`.
  base: './',
  plugins: [react()],
  build: {
    outDir: fileURLToPath(new URL('../../backend/app/web/ui', import.meta.url)),
    emptyOutDir: true,
    // Electron 22, the oldest that the bridge supports.
    target: 'chrome108',
    cssTarget: 'chrome108',
    // Nothing inline: the content security policy allows files of our own only.
    assetsInlineLimit: 0,
    modulePreload: {polyfill: false},
    manifest: 'manifest.json',
    // Whose work is in it.
    license: {fileName: 'licenses.md'},
    reportCompressedSize: false,
  },
});
