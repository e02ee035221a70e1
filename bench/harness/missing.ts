/** A peer that this machine doesn't have, and why. */
export interface Missing {
  missing: string
}

/** Why each of the peers that are missing is missing. */
export const reasons = (...peers: (object | Missing)[]): string[] =>
  peers.flatMap(peer => ('missing' in peer ? [peer.missing] : []))
