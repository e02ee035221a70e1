import { type CheckedRequest, checkRequest } from './arguments.js'
import { request, snapshot } from './requests.js'
import type * as shape from './types.js'

/** Nobody else can make the objects of this module. */
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
  // The length of a Web IDL operation is the number of arguments that it needs.
  async request(name: unknown, callback: unknown, ...more: unknown[]): Promise<never> {
    this.#check()
    // An argument that is undefined counts, one that isn't there doesn't
    const given = [name, callback, ...more].slice(0, arguments.length)
    const wanted = checkRequest(given)
    return request(wanted, recovered => new Lock(MAKER, wanted, recovered)) as Promise<never>
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

/**
 * Locks by any name for all processes of the domain, as `navigator.locks` has them for the pages of a site.
 *
 * @example
 * await locks.request('report', async lock => {
 *   // Nobody else in the domain is in here. `lock.recovered`: somebody died in here.
 * })
 */
export const locks: shape.LockManager = new LockManager(MAKER)
