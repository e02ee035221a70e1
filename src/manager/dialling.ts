import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { CrossmemError } from '../errors.js'
import { introduce, MOST_BYTES, MOST_TIME, type Welcome } from './handshake.js'
import { type Link, LocalLink, RemoteLink } from './link.js'
import { dial } from './places.js'
import type { Dialled } from './settings.js'

/** A manager: the name of one of this domain, or how to reach one of another machine. */
export type Target = string | Dialled

/** What references call the manager. */
export const targetName = (target: Target): string =>
  typeof target === 'string' ? target : target.url.origin

/**
 * Connects to a manager, and learns what it allows.
 *
 * @throws {CrossmemError} ERR_NOT_FOUND: none is there. Else as `introduce`
 */
export async function reach(target: Target): Promise<{ link: Link; welcome: Welcome }> {
  if (typeof target === 'string') {
    const link = new LocalLink(await dial(target), MOST_BYTES)
    return { link, welcome: await introduce(link, undefined) }
  }
  const link = await dialFar(target)
  return { link, welcome: await introduce(link, target.authkey) }
}

function dialFar({ url, heartbeat, authkey: _, ...certificates }: Dialled): Promise<Link> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      handshakeTimeout: MOST_TIME,
      followRedirects: false,
      ...certificates,
    })
    let raw: Socket | undefined
    socket.once('upgrade', response => {
      raw = response.socket
    })
    const fail = (cause: Error): void => {
      reject(
        new CrossmemError('ERR_NOT_FOUND', `no manager can be reached at ${url.origin}: ${cause.message}`, {
          cause,
        }),
      )
    }
    socket.once('error', fail)
    socket.once('open', () => {
      socket.off('error', fail)
      resolve(new RemoteLink(socket, raw as Socket, MOST_BYTES, heartbeat))
    })
  })
}
