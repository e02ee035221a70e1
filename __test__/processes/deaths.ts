import type { Peer } from './peers.js'

/** The ways in which a process or a thread ends without closing what it has open. */
export const deaths = ['kill', 'exit', 'throw'] as const
export type Death = (typeof deaths)[number]

/** Ends the peer in that way, and waits until it is gone. `kill` terminates a thread. */
export async function die(peer: Peer, death: Death): Promise<void> {
  if (death === 'kill') return peer.kill()
  const deed = death === 'exit' ? peer.it('process').do('exit', 3) : peer.it('deeds').do(death)
  deed.catch(() => undefined)
  await peer.hired.gone()
}
