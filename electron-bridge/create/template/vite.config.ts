import {defineConfig} from 'vite';

// The main process, and in the mode `preload` the script of its windows: sandboxed, that one is a single file and needs
// nothing but `electron`. Both are CommonJS, which every version of Electron loads.
export default defineConfig(({mode}) => {
  const name = mode === 'preload' ? 'preload' : 'main';
  return {
    build: {
      ssr: `src/${name}.ts`,
      outDir: 'dist',
      emptyOutDir: name === 'main',
      target: 'node16',
      rollupOptions: {output: {format: 'cjs', entryFileNames: '[name].cjs'}},
    },
    ssr: name === 'preload' ? {noExternal: true, external: ['electron']} : {},
  };
});
