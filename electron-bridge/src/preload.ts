/** The preload script's side: functions on `window`, never `ipcRenderer`, never the token. */
import * as electron from 'electron';
import type {IpcRendererEvent} from 'electron';
import {
  ANNOUNCE_CHANNELS,
  EXPOSED_NAME,
  INVOKE_CHANNELS,
  type AnnounceContract,
  type AnnounceName,
  type Args,
  type Change,
  type InvokeName,
  type Result,
  type SidecarApi,
  type SidecarStatus,
  type Snapshot,
  type Value,
} from './contract.js';

const {contextBridge, ipcRenderer} = electron;

/** Put the sidecar's functions on `window.taskflow`. Call it once, in a preload script of a sandboxed window. */
export function exposeSidecar(): void {
  contextBridge.exposeInMainWorld(EXPOSED_NAME, sidecarApi());
}

function sidecarApi(): SidecarApi {
  return {
    watch,
    onStatus,
    onChange,
    pathOf,
    retry: invoker('retry'),
    startAgain: invoker('startAgain'),
    readConnection: invoker('readConnection'),
    testConnection: invoker('testConnection'),
    saveConnection: invoker('saveConnection'),
    deleteConnection: invoker('deleteConnection'),
    saveSupportBundle: invoker('saveSupportBundle'),
    recover: invoker('recover'),
    request: invoker('request'),
    cancel: invoker('cancel'),
  };
}

function invoker<N extends InvokeName>(name: N): (...args: Args<N>) => Promise<Result<Value<N>>> {
  return (...args) => ipcRenderer.invoke(INVOKE_CHANNELS[name], ...args) as Promise<Result<Value<N>>>;
}

/** Listeners of one announcement; the first subscribes this page to it, and the last to leave unsubscribes it. */
class Announcements<N extends AnnounceName, Answer> {
  #count = 0;
  readonly #name: N;
  readonly #subscribe: () => Promise<Result<Answer>>;
  readonly #unsubscribe: () => Promise<unknown>;

  constructor(name: N, subscribe: () => Promise<Result<Answer>>, unsubscribe: () => Promise<unknown>) {
    this.#name = name;
    this.#subscribe = subscribe;
    this.#unsubscribe = unsubscribe;
  }

  /** `onSubscribed` gets the answer to the subscription, unless the listener has left before. */
  add(listener: (value: AnnounceContract[N]) => void, onSubscribed: (answer: Answer) => void): () => void {
    const onAnnounced = (_event: IpcRendererEvent, value: AnnounceContract[N]): void => listener(value);
    let isListening = true;
    this.#count += 1;
    ipcRenderer.on(ANNOUNCE_CHANNELS[this.#name], onAnnounced);
    void this.#subscribe().then((result) => {
      // Nobody sees this answer, and a page that hears nothing stays blank.
      if (!result.ok) console.error(`[taskflow] ${result.error.message}.`);
      else if (isListening) onSubscribed(result.value);
    });
    return () => {
      if (!isListening) return;
      isListening = false;
      this.#count -= 1;
      ipcRenderer.removeListener(ANNOUNCE_CHANNELS[this.#name], onAnnounced);
      if (this.#count === 0) void this.#unsubscribe();
    };
  }
}

const snapshots = new Announcements('snapshot', invoker('subscribe'), invoker('unsubscribe'));
const changes = new Announcements('change', invoker('subscribeChanges'), invoker('unsubscribeChanges'));

function watch(listener: (snapshot: Snapshot) => void): () => void {
  return snapshots.add(listener, listener);
}

function onStatus(listener: (status: SidecarStatus) => void): () => void {
  let last = '';
  return watch(({status}) => {
    const text = JSON.stringify(status);
    if (status !== null && text !== last) listener(status);
    last = text;
  });
}

function onChange(listener: (change: Change) => void): () => void {
  return changes.add(listener, () => undefined);
}

/** Electron before 29 tells the path on the file itself. */
function pathOf(file: File): string {
  const {webUtils} = electron as {readonly webUtils?: {getPathForFile(file: File): string}};
  return webUtils?.getPathForFile(file) ?? (file as {readonly path?: string}).path ?? '';
}
