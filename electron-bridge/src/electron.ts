/** Small helpers for the app around the sidecar: its windows' safety, and stopping together. */
import type {Sidecar} from './sidecar.js';

/** `webPreferences` of every window: the page is a page, and nothing else. */
export const SECURE_WEB_PREFERENCES = {
  contextIsolation: true,
  sandbox: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webviewTag: false,
  webSecurity: true,
} as const;

/**
 * Content security policy for the app's pages, as a `<meta http-equiv>` or as a header. Pages reach the sidecar over
 * IPC, so they need no connection of their own.
 */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'none'; base-uri 'none'; form-action 'none'";

/** The part of Electron's `WebContents` that is used. */
export interface WebContentsLike {
  on(event: 'will-navigate', listener: (event: {preventDefault(): void}, url: string) => void): unknown;
  // One overload each, as Electron declares them; a union of names would match none of its.
  // eslint-disable-next-line @typescript-eslint/unified-signatures
  on(event: 'will-redirect', listener: (event: {preventDefault(): void}, url: string) => void): unknown;
  on(event: 'will-attach-webview', listener: (event: {preventDefault(): void}) => void): unknown;
  setWindowOpenHandler(handler: (details: {url: string}) => {action: 'deny'}): void;
  readonly session: {
    setPermissionRequestHandler(
      handler: (contents: unknown, permission: unknown, callback: (granted: boolean) => void) => void,
    ): void;
  };
}

/** The part of Electron's `app` that is used. */
export interface AppLike {
  on(event: 'web-contents-created', listener: (event: unknown, contents: WebContentsLike) => void): unknown;
}

export interface DenyOptions {
  /** Pages a window may go to, such as the dev server's. @default none */
  readonly allowNavigation?: ((url: string) => boolean) | undefined;
  /** Called with the link of a denied new window, for example to open https links in the browser. @default nothing */
  readonly onLink?: ((url: string) => void) | undefined;
}

/** Deny navigation, new windows, web views and permissions in every window that the app will open. */
export function denyByDefault(app: AppLike, {allowNavigation = () => false, onLink}: DenyOptions = {}): void {
  app.on('web-contents-created', (_event, contents) => {
    const guard = (event: {preventDefault(): void}, url: string): void => {
      if (!allowNavigation(url)) event.preventDefault();
    };
    contents.on('will-navigate', guard);
    contents.on('will-redirect', guard);
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(({url}) => {
      onLink?.(url);
      return {action: 'deny'};
    });
    contents.session.setPermissionRequestHandler((_contents, _permission, callback) => callback(false));
  });
}

/** The part of Electron's `app` that is used. */
export interface QuittingAppLike {
  on(event: 'will-quit', listener: (event: {preventDefault(): void}) => void): unknown;
  quit(): void;
}

/** Let the app quit only after the sidecar has stopped, in whatever state that is. */
export function stopWithApp(app: QuittingAppLike, sidecar: Pick<Sidecar, 'stop'>): void {
  let stage: 'running' | 'stopping' | 'stopped' = 'running';
  app.on('will-quit', (event) => {
    if (stage === 'stopped') return;
    event.preventDefault();
    if (stage === 'stopping') return;
    stage = 'stopping';
    void sidecar.stop().finally(() => {
      stage = 'stopped';
      // Electron forgets a quit that is asked for in a microtask of `will-quit`, and a sidecar that is gone already
      // has stopped in one.
      setImmediate(() => app.quit());
    });
  });
}
