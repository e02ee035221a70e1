import { type InspectionArguments, inspection, showAs, stays } from '../util/index.js'
import { type CheckedRequest, checkRequest } from './arguments.js'
import { request, snapshot } from './requests.js'
import type * as shape from './types.js'

/** The key to the constructors of this module, which code outside of it can't call. */
const MAKER = Symbol('maker')

/** https://w3c.github.io/web-locks/#api-lock */
class Lock implements shape.Lock {
  readonly #request: CheckedRequest
  readonly #recovered: boolean

  constructor(...made: unknown[]) {
    if (made[0] !== MAKER) throw new TypeError('Illegal constructor')
    const [, request, recovered] = made as [symbol, CheckedRequest, boolean]
    this.#request = request
    this.#recovered = recovered
  }

  get name(): string {
    return this.#request.name
  }

  get mode(): shape.LockMode {
    return this.#request.mode
  }

  get recovered(): boolean {
    return this.#recovered
  }

  [inspection](...how: InspectionArguments): string {
    const { name, mode, recovered } = this
    return showAs('Lock', { name, mode, recovered }, ...how)
  }
}

/** https://w3c.github.io/web-locks/#api-lock-manager */
class LockManager implements shape.LockManager {
  readonly #made: unknown

  constructor(...made: unknown[]) {
    if (made[0] !== MAKER) throw new TypeError('Illegal constructor')
    this.#made = MAKER
  }

  request<T>(name: string, callback: shape.LockGrantedCallback<T>): Promise<Awaited<T>>
  request<T>(
    name: string,
    options: shape.LockOptions,
    callback: shape.LockGrantedCallback<T>,
  ): Promise<Awaited<T>>
  // `request.length` must be 2: in Web IDL, the number of required arguments.
  async request(name: unknown, callback: unknown, ...more: unknown[]): Promise<never> {
    this.#check()
    // An argument that is passed as undefined counts; one that isn't passed doesn't.
    // biome-ignore lint/complexity/noArguments: its length tells them apart
    const given = [name, callback, ...more].slice(0, arguments.length)
    const checked = checkRequest(given)
    return request(checked, recovered => new Lock(MAKER, checked, recovered)) as Promise<never>
  }

  async query(): Promise<shape.LockManagerSnapshot> {
    this.#check()
    return snapshot()
  }

  #check(): void {
    if (this.#made !== MAKER) throw new TypeError('Illegal invocation')
  }
}

for (const [{ prototype }, members] of [
  [Lock, ['name', 'mode', 'recovered']],
  [LockManager, ['request', 'query']],
] as const) {
  for (const member of members) Object.defineProperty(prototype, member, { enumerable: true })
}
Object.defineProperty(Lock.prototype, Symbol.toStringTag, { value: 'Lock', configurable: true })
Object.defineProperty(LockManager.prototype, Symbol.toStringTag, { value: 'LockManager', configurable: true })

stays(Lock, 'it stays with the callback that was given it; send its name')
stays(LockManager, 'every process of the domain has its own; import it there')

/**
 * Locks by any name for all processes of the domain, as `navigator.locks` has them for the pages of
 * a site.
 *
 * @example
 * ```js
 * import { locks } from 'crossmem'
 *
 * const result = await locks.request('report', async lock => {
 *   console.log(lock.name, lock.mode, lock.recovered) // report exclusive false
 *   return 'written'
 * })
 * console.log(result) // written
 * await locks.request('report', { ifAvailable: true }, lock => console.log(lock !== null)) // true
 * ```
 */
export const locks: shape.LockManager = new LockManager(MAKER)
