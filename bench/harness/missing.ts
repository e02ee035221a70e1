/** A peer that this machine doesn't have, and why. */
export interface Missing {
  missing: string
}

/** The reasons of those peers that are missing. */
export const reasons = (...peers: (object | Missing)[]): string[] =>
  peers.flatMap(peer => ('missing' in peer ? [peer.missing] : []))
