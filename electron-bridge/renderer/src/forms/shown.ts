import {useCallback, useEffect, useRef} from 'react';

/**
 * Tells whether what called it is still on the page. An answer may come late, when its dialog was closed and another
 * one is open: that must neither be closed nor left for another page.
 */
export function useIsShown(): () => boolean {
  const isShown = useRef(false);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);
  return useCallback(() => isShown.current, []);
}
