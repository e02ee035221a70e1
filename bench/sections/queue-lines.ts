// Lines in the plots of queues.
import { queueKinds } from '../queues/kinds.js'
import type { Payload } from '../queues/messages.js'
import type { QueueKind, QueueKinds } from '../queues/peers.js'
import type { LineOf } from './lines.js'

export const SEND = { names: /^process\.send, '(json|advanced)'$/, name: 'process.send' } satisfies LineOf
export const POST = { names: /^threads: postMessage, /, name: 'threads: postMessage' } satisfies LineOf

/** The kinds of queues that one of the lines shows. */
export function drawn(payload: Payload, lines: LineOf[], fars = 1): QueueKinds {
  const { kinds, missing } = queueKinds(payload, fars)
  const isDrawn = ({ name }: QueueKind): boolean => lines.some(({ names }) => names.test(name))
  return { kinds: kinds.filter(isDrawn), missing }
}
