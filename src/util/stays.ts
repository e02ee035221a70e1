import { CrossmemError } from '../errors.js'

/**
 * A property of objects that can't travel, since their state is private. It is the same symbol in
 * every copy of this package.
 */
export const STAYS = Symbol.for('crossmem.stays')

/**
 * Has codecs, `JSON.stringify` and `process.send` refuse a class's objects, of which they would
 * make `{}`.
 *
 * @param why why they can't travel, and what to do instead
 */
export function stays({ prototype, name }: { prototype: object; name: string }, why: string): void {
  const refuse = (): never => {
    throw new CrossmemError('ERR_INVALID_ARG', `a ${name} can't be sent: ${why}`, {
      cause: new TypeError(why),
    })
  }
  const own = { configurable: true, writable: true }
  Object.defineProperty(prototype, STAYS, { value: why, ...own })
  Object.defineProperty(prototype, 'toJSON', { value: refuse, ...own })
}
