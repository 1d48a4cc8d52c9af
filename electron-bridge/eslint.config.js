import js from '@eslint/js';
import node from 'eslint-plugin-n';
import {defineConfig} from 'eslint/config';
import ts from 'typescript-eslint';

export default defineConfig(
  {ignores: ['dist/', 'create/template/', 'src/openapi.ts', 'test/.output/']},
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  {
    languageOptions: {parserOptions: {projectService: true, tsconfigRootDir: import.meta.dirname}},
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', {allowNumber: true}],
      '@typescript-eslint/no-confusing-void-expression': ['error', {ignoreArrowShorthand: true}],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
    },
  },
  {
    // What runs in an app's main process must run on Node 16.17.
    files: ['src/**/*.ts'],
    ignores: ['src/preload.ts', 'src/renderer.ts', 'src/react.ts', 'src/client.ts', 'src/web-globals.ts'],
    plugins: {n: node},
    rules: {
      'n/no-unsupported-features/node-builtins': ['error', {version: '>=16.17.0', allowExperimental: true}],
      'n/no-unsupported-features/es-builtins': ['error', {version: '>=16.17.0'}],
      'no-restricted-globals': ['error', 'fetch', 'Headers', 'Request', 'Response', 'FormData', 'structuredClone'],
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      globals: {require: 'readonly', globalThis: 'readonly', Buffer: 'readonly', AbortController: 'readonly'},
    },
    rules: {'@typescript-eslint/no-require-imports': 'off'},
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    extends: [ts.configs.disableTypeChecked],
    languageOptions: {
      globals: {process: 'readonly', console: 'readonly', setTimeout: 'readonly', setInterval: 'readonly'},
    },
    rules: {'@typescript-eslint/explicit-module-boundary-types': 'off'},
  },
);
