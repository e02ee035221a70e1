// What the plots of queues draw: the lines that a Node developer chooses between.
import { queueKinds } from '../queues/kinds.js'
import type { Payload } from '../queues/messages.js'
import type { QueueKind, QueueKinds } from '../queues/peers.js'
import type { LineOf } from './lines.js'

export const SEND = { names: /^process\.send, '(json|advanced)'$/, name: 'process.send' } satisfies LineOf
export const POST = { names: /^threads: postMessage, /, name: 'threads: postMessage' } satisfies LineOf

/** Those kinds that a line is drawn of. */
export function drawn(payload: Payload, lines: LineOf[], fars = 1): QueueKinds {
  const { kinds, missing } = queueKinds(payload, fars)
  const isDrawn = ({ name }: QueueKind): boolean => lines.some(({ names }) => names.test(name))
  return { kinds: kinds.filter(isDrawn), missing }
}
