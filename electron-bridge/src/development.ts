/** What holds only while an app is developed. */
import {basename} from 'node:path';
import type {ExitReport, Problem} from './contract.js';

/** Variables in which electron-vite and vite-plugin-electron name the address of their dev server. */
const DEV_SERVER_VARIABLES = ['ELECTRON_RENDERER_URL', 'VITE_DEV_SERVER_URL'] as const;

/**
 * Whether the app runs from its sources. Electron says so by `process.defaultApp`, or by the name of the executable, as
 * it does in `app.isPackaged`: packaging renames it. A variable alone never makes a packaged app trust a page.
 */
export function isDevelopment(): boolean {
  const {defaultApp, type} = process as {defaultApp?: boolean; type?: string};
  const isUnpackaged = type === 'browser' && /^electron(\.exe)?$/i.test(basename(process.execPath));
  return (defaultApp === true || isUnpackaged) && process.env['NODE_ENV'] !== 'production';
}

/**
 * What a developer wants to read of a sidecar that is gone, and a person does not.
 *
 * @param command executable and arguments; never a secret, as arguments are public.
 */
export function explainEnd(
  {code, message, remedy}: Problem,
  {status, signal, logTail}: ExitReport,
  command: string,
): string {
  const end = signal === null ? `exit status ${String(status)}` : signal;
  const lines = [
    `${code} (${end}): ${message} ${remedy}`,
    `started: ${command}`,
    ...logTail.map((line) => `  ${line}`),
  ];
  return lines.map((line) => `[taskflow] ${line}`).join('\n');
}

/** Origins of dev servers that the environment names; none outside of development. */
export function devServerOrigins(): string[] {
  if (!isDevelopment()) return [];
  return DEV_SERVER_VARIABLES.map((name) => originOf(process.env[name] ?? '')).filter((origin) => origin !== null);
}

/** `scheme://host` of an address, also for schemes of an app's own, whose `URL.origin` is "null"; null if it is none. */
export function originOf(address: string): string | null {
  try {
    const {protocol, host} = new URL(address);
    return `${protocol}//${host}`;
  } catch {
    return null;
  }
}
