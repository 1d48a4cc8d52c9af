/** The way to the connection's settings: in a browser the sidecar's own page has them. */
import type {ReactNode} from 'react';
import {usePlatform} from '../data/situation.js';

export function ConnectionLink({children}: {children: ReactNode}): ReactNode {
  if (usePlatform().kind !== 'browser') return null;
  return (
    <a href="/connection" className="button" data-look="plain" data-size="small">
      {children}
    </a>
  );
}
