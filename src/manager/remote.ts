import type { Arrivals, Connection } from './connection.js'
import { CursorProxy, itemsOf } from './iterate.js'
import { type Anchor, defineProxy, fromWire, Managed, plain, proxyOf, toWire } from './managed.js'
import type { WireObject } from './protocol.js'

type Callable = (...args: never[]) => unknown

/** A getter's value, once it is awaited; a method, which resolves with what it returns. */
type RemoteMember<Member> = Member extends (...args: infer Args) => infer Result
  ? (...args: Args) => Promise<RemoteResult<Awaited<Result>>>
  : Promise<RemoteResult<Awaited<Member>>>

type RemoteResult<Result> = Result extends Generator<infer Item> | AsyncGenerator<infer Item>
  ? AsyncGenerator<Item, void, void>
  : Result

/**
 * An object of a class of yours at a manager. Its methods return promises, and its getters are
 * promises: `await maths.add(1)`, `await maths.sum`. Own properties, and names that begin with `_`,
 * stay at the manager.
 */
export type Remote<T> = Managed & {
  readonly [Name in Exclude<keyof T & string, `_${string}` | keyof Managed>]: RemoteMember<T[Name]>
}

/** What every object has, and what `await` and `JSON.stringify` ask for. */
const own = new Set<PropertyKey>(['then', 'constructor'])

/** A member of a remote object: called, it is a method; awaited, a getter. */
class RemoteInstance extends Managed {
  constructor(anchor: Anchor) {
    super(anchor)
    // biome-ignore lint/correctness/noConstructorReturn: the proxy stands for this object.
    return new Proxy(this, { get: (target, name) => target.#member(name) })
  }

  #member(name: PropertyKey): unknown {
    if (typeof name === 'symbol' || own.has(name) || name in this) {
      const value: unknown = Reflect.get(this, name, this)
      // The proxy has no private fields.
      return typeof value === 'function' && name !== 'constructor' ? value.bind(this) : value
    }
    const member = (...args: unknown[]): Promise<unknown> =>
      this.askAndWait('run', to => [name, argumentsToWire(to, args)], readResult)
    // Read only if it is awaited.
    // biome-ignore lint/suspicious/noThenProperty: it is a promise of the getter's value.
    member.then = (resolve: Callable, reject: Callable): Promise<unknown> =>
      this.askAndWait('read', () => [name], readResult).then(resolve as never, reject as never)
    return member
  }
}

export const argumentsToWire = (connection: Connection, args: readonly unknown[]): unknown[] =>
  args.map((arg, i) => toWire(connection, arg, `argument ${i + 1}`))

/** What a method returned: a value, an object by reference, or what iterates. */
function readResult(result: unknown, arrivals: Arrivals): unknown {
  const [kind, what] = plain<[string, unknown]>(result)
  if (kind === 'value') return fromWire(what, arrivals)
  const object = proxyOf(what as WireObject, arrivals)
  return object instanceof CursorProxy
    ? itemsOf(
        async () => object,
        ([item]) => item,
      )
    : object
}

defineProxy('Instance', RemoteInstance as new (anchor: Anchor) => Managed)
