/** The way to the connection's settings. */
import type {ReactNode} from 'react';
import {Link} from './router.js';

export function ConnectionLink({children}: {children: ReactNode}): ReactNode {
  return (
    <Link to="/connection" className="button" data-look="plain" data-size="small">
      {children}
    </Link>
  );
}
