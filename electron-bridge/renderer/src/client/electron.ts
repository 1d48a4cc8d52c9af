/** The transport of an Electron window: the functions that the preload script put on `window.taskflow`. */
import {clientOver} from '../../../src/client.js';
import {REQUEST_HEADERS, type RequestHeaders, type SidecarApi} from '../../../src/contract.js';
import {asError} from './failure.js';
import type {Platform} from './platform.js';

export function electronPlatform(api: SidecarApi): Platform {
  return {
    kind: 'electron',
    client: clientOver(async ({method, path, headers, body}) => {
      const result = await api.request({method, path, body, headers: passing(headers)});
      if (!result.ok) throw asError(result.error);
      return result.value;
    }),
    watch: (listener) => api.watch(listener),
    onChange: (listener) => api.onChange(listener),
    retry: () => api.retry(),
    // What crosses from the page to the preload script may be a copy that has lost its path.
    pathOf: (file) => (file as {readonly path?: string}).path ?? api.pathOf(file),
    startAgain: () => api.startAgain(),
    saveSupportBundle: () => api.saveSupportBundle(),
    readConnection: () => api.readConnection(),
    testConnection: (input) => api.testConnection(input),
    saveConnection: (input, options) => api.saveConnection(input, options),
    deleteConnection: () => api.deleteConnection(),
  };
}

function passing(headers: Readonly<Record<string, string>>): RequestHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => Object.hasOwn(REQUEST_HEADERS, name)));
}
