/** Paths of files that the sidecar reads. */

/** Whole paths of every system: `/home/...`, `C:\...`, `\\server\share\...`; `~` means nothing to libpq. */
export function isWholePath(path: string): boolean {
  return /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(path.trim());
}
