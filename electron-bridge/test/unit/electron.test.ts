import {expect, test, vi} from 'vitest';
import {
  CONTENT_SECURITY_POLICY,
  SECURE_WEB_PREFERENCES,
  denyByDefault,
  stopWithApp,
  type DenyOptions,
} from '../../src/index.js';

type Guard = (event: {preventDefault(): void}, url: string) => void;

/** One window of an app that denies by default. */
function deniedWindow(options?: DenyOptions) {
  const events = new Map<string, Guard>();
  let openHandler: ((details: {url: string}) => {action: string}) | null = null;
  let permissionHandler:
    ((contents: unknown, permission: unknown, callback: (granted: boolean) => void) => void) | null = null;
  const contents = {
    on: (event: string, listener: Guard) => events.set(event, listener),
    setWindowOpenHandler: (handler: typeof openHandler) => (openHandler = handler),
    session: {setPermissionRequestHandler: (handler: typeof permissionHandler) => (permissionHandler = handler)},
  };
  denyByDefault(
    {on: (_event: string, listener: (event: unknown, opened: never) => void) => listener({}, contents as never)},
    options,
  );
  const isPrevented = (event: string, url: string): boolean => {
    const preventDefault = vi.fn();
    events.get(event)?.({preventDefault}, url);
    return preventDefault.mock.calls.length > 0;
  };
  return {
    isPrevented,
    open: (url: string) => openHandler?.({url}),
    request: () => new Promise((resolve) => permissionHandler?.(contents, 'media', resolve)),
  };
}

test('navigation, redirects, web views, new windows and permissions are denied', async () => {
  const window = deniedWindow();

  expect(window.isPrevented('will-navigate', 'https://example.org/')).toBe(true);
  expect(window.isPrevented('will-redirect', 'file:///etc/passwd')).toBe(true);
  expect(window.isPrevented('will-attach-webview', '')).toBe(true);
  expect(window.open('https://example.org/')).toEqual({action: 'deny'});
  expect(await window.request()).toBe(false);
});

test('the app may allow pages, and hear of links', () => {
  const onLink = vi.fn();
  const window = deniedWindow({allowNavigation: (url) => url.startsWith('http://localhost:5173/'), onLink});

  expect(window.isPrevented('will-navigate', 'http://localhost:5173/a')).toBe(false);
  expect(window.isPrevented('will-navigate', 'http://localhost:5174/a')).toBe(true);
  expect(window.open('https://example.org/')).toEqual({action: 'deny'});
  expect(onLink).toHaveBeenCalledExactlyOnceWith('https://example.org/');
});

test('quitting waits for the sidecar to stop, and then goes through', async () => {
  let finishStop: () => void = () => undefined;
  const stop = vi.fn(() => new Promise<void>((resolve) => (finishStop = resolve)));
  const quit = vi.fn();
  let onWillQuit: (event: {preventDefault(): void}) => void = () => undefined;
  stopWithApp({on: (_event: string, listener: typeof onWillQuit) => (onWillQuit = listener), quit}, {stop});
  const first = {preventDefault: vi.fn()};
  const second = {preventDefault: vi.fn()};

  onWillQuit(first);
  expect(first.preventDefault).toHaveBeenCalled();
  expect(quit).not.toHaveBeenCalled();
  finishStop();
  await vi.waitFor(() => expect(quit).toHaveBeenCalledOnce());
  onWillQuit(second);

  expect(second.preventDefault).not.toHaveBeenCalled();
});

test('the safe preferences are the safe ones', () => {
  expect(SECURE_WEB_PREFERENCES).toMatchObject({
    contextIsolation: true,
    sandbox: true,
    nodeIntegration: false,
    webviewTag: false,
  });
});

test('the policy allows no foreign code and no connection', () => {
  expect(CONTENT_SECURITY_POLICY).not.toMatch(/unsafe|\*|https?:/);
});
