/** React hooks over what the preload script puts on `window.taskflow`. */
import {useEffect, useRef, useState} from 'react';
import type {Change, SidecarApi, SidecarStatus, Snapshot} from './renderer.js';

/** State, status and custody of the sidecar, as they change; null until the first answer. */
export function useSidecar(api: SidecarApi = window.taskflow): Snapshot | null {
  const [snapshot, setSnapshot] = useState<Snapshot | null>(null);
  useEffect(() => api.watch(setSnapshot), [api]);
  return snapshot;
}

/** The last status document; null until the first one. */
export function useStatus(api: SidecarApi = window.taskflow): SidecarStatus | null {
  const [status, setStatus] = useState<SidecarStatus | null>(null);
  useEffect(() => api.onStatus(setStatus), [api]);
  return status;
}

/** Call `listener`, always the one of the last rendering, at each change of the team's work. */
export function useChanges(listener: (change: Change) => void, api: SidecarApi = window.taskflow): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => api.onChange((change) => latest.current(change)), [api]);
}
