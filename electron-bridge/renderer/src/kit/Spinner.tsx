import type {ReactNode} from 'react';

/** Something is going on; what, stands beside it. */
export function Spinner(): ReactNode {
  return (
    <svg className="spinner" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <circle cx="8" cy="8" r="5.5" pathLength="100" />
    </svg>
  );
}
