import { hasCode } from '../errors.js'
import { nativeDomain, shared } from '../native/index.js'
import { checkBeforeAttempt, point, type WaitOptions, WaitQueue, watch } from '../wait/index.js'
import { checkName } from './segment.js'

// The waits of this environment until names lead to objects. A process that creates an object rings
// those that wait for its name. Memory of other programs comes without a ring, and so does what a
// process created that was killed before its ring: at each tick, the waits look again.

/** No segment has the handle 0. */
const NO_HANDLE = 0

const waits = shared('names', () => {
  let unwatch: (() => void) | undefined
  const queue: WaitQueue = new WaitQueue(point(NO_HANDLE), {
    disarm: () => nativeDomain.awaitNoName(),
    onFirst: () => {
      unwatch ??= watch(serve)
    },
    onTick: () => undefined,
  })
  function serve(): void {
    queue.serveWaiters()
    if (!queue.isEmpty) return
    unwatch?.()
    unwatch = undefined
  }
  return queue
})

/**
 * Waits until `open` finds the object, and returns the handle.
 *
 * @throws {CrossmemError} ERR_TIMEOUT, ERR_INVALID_ARG, ERR_INVALID_NAME; as `open`, but not
 *   ERR_NOT_FOUND
 * @throws the signal's reason
 */
export async function whenCreated<Handle>(
  name: string,
  open: () => Handle,
  options: WaitOptions | undefined,
): Promise<Handle> {
  checkName(name)
  checkBeforeAttempt(options)
  const attempt = (): Handle | undefined => {
    if (!nativeDomain.awaitName(name)) return undefined
    try {
      return open()
    } catch (error) {
      // It is being removed, or its creator died before it was whole.
      if (hasCode(error, 'ERR_NOT_FOUND')) return undefined
      throw error
    }
  }
  // Waits for other names may be pending, but there is no order among names.
  const there = attempt()
  if (there !== undefined) return there
  return waits.wait({ attempt, doing: `waiting until "${name}" exists`, isIndependent: true }, options)
}
