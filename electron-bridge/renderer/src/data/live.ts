/** What the sidecar's events tell of is as it was read until one comes; reading it again because time has passed is waste. */
export const LIVE = {staleTime: Infinity} as const;
