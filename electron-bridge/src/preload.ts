/** The preload script's side: functions on `window`, never `ipcRenderer`, never the token. */
import {contextBridge, ipcRenderer, type IpcRendererEvent} from 'electron';
import {
  ANNOUNCE_CHANNELS,
  EXPOSED_NAME,
  INVOKE_CHANNELS,
  type Args,
  type InvokeName,
  type Result,
  type SidecarApi,
  type Snapshot,
  type Value,
} from './contract.js';

/** Put the sidecar's functions on `window.taskflow`. Call it once, in a preload script of a sandboxed window. */
export function exposeSidecar(): void {
  contextBridge.exposeInMainWorld(EXPOSED_NAME, sidecarApi());
}

function sidecarApi(): SidecarApi {
  return {
    watch,
    retry: invoker('retry'),
    startAgain: invoker('startAgain'),
    readConnection: invoker('readConnection'),
    testConnection: invoker('testConnection'),
    saveConnection: invoker('saveConnection'),
    deleteConnection: invoker('deleteConnection'),
    recover: invoker('recover'),
    request: invoker('request'),
  };
}

function invoker<N extends InvokeName>(name: N): (...args: Args<N>) => Promise<Result<Value<N>>> {
  return (...args) => ipcRenderer.invoke(INVOKE_CHANNELS[name], ...args) as Promise<Result<Value<N>>>;
}

let watchCount = 0;

function watch(listener: (snapshot: Snapshot) => void): () => void {
  const onSnapshot = (_event: IpcRendererEvent, snapshot: Snapshot): void => listener(snapshot);
  let isWatching = true;
  watchCount += 1;
  ipcRenderer.on(ANNOUNCE_CHANNELS.snapshot, onSnapshot);
  void invoker('subscribe')().then((result) => {
    if (isWatching && result.ok) listener(result.value);
  });
  return () => {
    if (!isWatching) return;
    isWatching = false;
    watchCount -= 1;
    ipcRenderer.removeListener(ANNOUNCE_CHANNELS.snapshot, onSnapshot);
    if (watchCount === 0) void invoker('unsubscribe')();
  };
}
