/** How the list of tasks was filtered when it was last seen, to go back to it. */
let query: URLSearchParams | undefined;

export const lastListQuery = (): URLSearchParams | undefined => query;

export function rememberListQuery(seen: URLSearchParams): void {
  query = seen;
}
