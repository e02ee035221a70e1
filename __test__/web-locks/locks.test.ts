import '../helpers/domain.js'
import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import ava, { type ExecutionContext } from 'ava'
import { CrossmemError, type Lock, type LockInfo, type LockManager, type LockOptions, locks } from 'crossmem'
import { unique } from '../helpers/domain.js'

// What the specification demands of one environment: https://w3c.github.io/web-locks/

const test = ava
/** As untyped callers have it. */
const untyped = locks as unknown as Record<'request' | 'query', (...given: unknown[]) => Promise<unknown>>
const never = (): Promise<never> => new Promise(() => {})

interface Deferred<T = void> {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: unknown) => void
}

function deferred<T = void>(): Deferred<T> {
  const made = {} as Deferred<T>
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}

/** Holds a lock; resolves when it came. */
async function hold(
  name: string,
  options: LockOptions = {},
): Promise<{ lock: Lock; release: () => void; released: Promise<string> }> {
  const granted = deferred<Lock>()
  const until = deferred()
  const released = locks.request(name, options, async lock => {
    granted.resolve(lock as Lock)
    await until.promise
    return 'released'
  })
  return { lock: await granted.promise, release: until.resolve, released }
}

const of = (list: LockInfo[], name: string): LockInfo[] => list.filter(lock => lock.name === name)

const modes = async (name: string): Promise<{ held: string[]; pending: string[] }> => {
  const { held, pending } = await locks.query()
  return { held: of(held, name).map(lock => lock.mode), pending: of(pending, name).map(lock => lock.mode) }
}

const rejectsDom = async (t: ExecutionContext, promise: Promise<unknown>, name: string): Promise<void> => {
  const error = await t.throwsAsync(promise, { any: true, instanceOf: DOMException })
  t.is((error as DOMException).name, name)
}

test('the objects are what Web IDL makes of the interfaces', async t => {
  let lock = {} as Lock
  await locks.request(unique('l'), given => {
    lock = given as Lock
  })
  const cases: [object, string, [string, number | undefined][]][] = [
    [
      locks,
      'LockManager',
      [
        ['request', 2],
        ['query', 0],
      ],
    ],
    [
      lock,
      'Lock',
      [
        ['name', undefined],
        ['mode', undefined],
        ['recovered', undefined],
      ],
    ],
  ]
  for (const [object, name, members] of cases) {
    const prototype = Object.getPrototypeOf(object)
    t.is(Object.prototype.toString.call(object), `[object ${name}]`)
    t.like(Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag), {
      value: name,
      writable: false,
      enumerable: false,
      configurable: true,
    })
    t.is(prototype.constructor.name, name)
    t.is(prototype.constructor.length, 0)
    t.throws(() => new prototype.constructor(), { instanceOf: TypeError })
    t.deepEqual(Object.keys(object), [])
    t.deepEqual(
      Object.keys(prototype),
      members.map(([member]) => member),
    )
    for (const [member, length] of members) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, member)
      t.is(descriptor?.value?.length, length)
      t.is(descriptor?.set, undefined)
      if (length === undefined) t.throws(() => prototype[member], { instanceOf: TypeError })
    }
  }
  await t.throwsAsync(untyped.request.call({}, 'x', never), { instanceOf: TypeError })
  await t.throwsAsync(untyped.query.call(undefined), { instanceOf: TypeError })
})

test('a request takes a name and a callback, which is a function', async t => {
  const name = unique('l')
  const callback = (): void => t.fail('it is not called')
  for (const given of [
    [],
    [name],
    ...[undefined, null, 123, 'abc', [], {}, Promise.resolve()].map(other => [name, other]),
    [name, callback, undefined],
    [name, {}, {}],
    [name, 'options', callback],
    [name, 1, callback],
    [Symbol('name'), callback],
  ]) {
    const promise = untyped.request(...given)
    t.true(promise instanceof Promise)
    await t.throwsAsync(promise, { instanceOf: TypeError }, `${given.map(String)}`)
  }
  for (const options of [undefined, null, {}, { mode: undefined, signal: undefined }, never, []]) {
    t.is(await untyped.request(name, options, (lock: Lock) => lock.mode), 'exclusive')
  }
  t.is(await untyped.request(42, (lock: Lock) => lock.name), '42')
})

test('options are converted in the order of their names, and after the name', async t => {
  const asked: string[] = []
  const name = unique('l')
  const options = new Proxy(
    {},
    {
      get(_, member) {
        asked.push(String(member))
        return undefined
      },
    },
  )
  const told = { toString: () => asked.push('the name') && name }
  await untyped.request(told, options, () => 1)
  t.deepEqual(asked, ['the name', 'ifAvailable', 'mode', 'signal', 'steal'])
})

test('mode is shared or exclusive', async t => {
  const name = unique('l')
  for (const mode of ['foo', null, 1, '']) {
    await t.throwsAsync(untyped.request(name, { mode }, never), { instanceOf: TypeError })
  }
  for (const mode of ['shared', 'exclusive'] as const) {
    t.deepEqual(await locks.request(name, { mode }, lock => [lock?.name, lock?.mode, lock?.recovered]), [
      name,
      mode,
      false,
    ])
  }
})

test('options that exclude each other, and reserved names, are not supported', async t => {
  const name = unique('l')
  const { signal } = new AbortController()
  const aborted = AbortSignal.abort('too late')
  const never = (): void => t.fail('it is not called')
  await rejectsDom(t, locks.request(name, { steal: true, ifAvailable: true }, never), 'NotSupportedError')
  await rejectsDom(t, locks.request(name, { steal: true, mode: 'shared' }, never), 'NotSupportedError')
  await rejectsDom(t, locks.request(name, { steal: true, signal }, never), 'NotSupportedError')
  await rejectsDom(t, locks.request(name, { ifAvailable: true, signal }, never), 'NotSupportedError')
  for (const reserved of ['-', '-foo']) {
    await rejectsDom(t, locks.request(reserved, { signal: aborted }, never), 'NotSupportedError')
  }
  t.is(await locks.request(`x-${name}`, () => 'granted'), 'granted')
})

test('names are any strings, and none is mistaken for another', async t => {
  const strings = ['', 'abc\0def', '\ud800', '\udc00', '\udc00\ud800', '\uffff', '\ufffd', 'é', 'e\u0301']
  const held = await Promise.all(strings.map(string => hold(string)))
  t.deepEqual(
    held.map(({ lock }) => lock.name),
    strings,
  )
  const names = (await locks.query()).held.map(lock => lock.name)
  for (const string of strings) t.true(names.includes(string))
  for (const { release } of held) release()
  const longest = 'x'.repeat(32_768)
  t.is(await locks.request(longest, lock => lock?.name), longest)
  const error = await t.throwsAsync(
    locks.request(`${longest}x`, () => t.fail()),
    { instanceOf: CrossmemError },
  )
  t.is(error?.code, 'ERR_TOO_LARGE')
})

test('the promise settles as the callback returns or throws', async t => {
  const name = unique('l')
  t.is(await locks.request(name, () => 123), 123)
  t.is(await locks.request(name, async () => 'later'), 'later')
  // biome-ignore lint/suspicious/noThenProperty: a thenable is tested
  t.is(await locks.request(name, () => ({ then: (resolve: (value: number) => void) => resolve(5) })), 5)
  let called = false
  const thrown = {
    // biome-ignore lint/suspicious/noThenProperty: a thenable is tested
    then: () => {
      called = true
    },
  }
  const throwing = (): never => {
    throw thrown
  }
  for (const callback of [throwing, async () => throwing()]) {
    const settled = await Promise.allSettled([locks.request(name, callback)])
    t.is((settled[0] as PromiseRejectedResult).reason, thrown)
  }
  t.false(called)
  t.deepEqual(await modes(name), { held: [], pending: [] })
})

test('a number as a name is the string of its digits', async t => {
  const number = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)
  await untyped.request(number, async () => {
    t.is(await locks.request(String(number), { ifAvailable: true }, lock => lock), null)
  })
})

test('the callback is called later, without this, and where the request was made', async t => {
  const name = unique('l')
  const storage = new AsyncLocalStorage<number>()
  let seen: unknown[] = []
  const both = [1, 2].map(number =>
    storage.run(number, () =>
      locks.request(name, function (this: unknown, ...given) {
        seen.push(this, given.length, storage.getStore())
      }),
    ),
  )
  t.deepEqual(seen, [])
  await Promise.resolve()
  t.deepEqual(seen, [], 'nor in a microtask')
  await Promise.all(both)
  t.deepEqual(seen, [undefined, 1, 1, undefined, 1, 2])
  seen = []
})

test('the promise settles after the lock was released', async t => {
  const name = unique('l')
  const until = deferred()
  const order: string[] = []
  const returned = locks.request(name, () => until.promise)
  const both = [returned.then(() => order.push('returned')), until.promise.then(() => order.push('holding'))]
  until.resolve()
  await Promise.all(both)
  t.deepEqual(order, ['holding', 'returned'])
  t.true(await locks.request(name, { ifAvailable: true }, lock => lock !== null))
})

test('a lock is held until the promise of the callback settles', async t => {
  for (const how of ['resolve', 'reject'] as const) {
    const name = unique('l')
    const until = deferred()
    const order: string[] = []
    const granted = deferred()
    const first = locks.request(name, () => {
      granted.resolve()
      return until.promise
    })
    await granted.promise
    const second = locks.request(name, () => order.push('second'))
    for (let i = 0; i < 5; i++) await turn()
    order.push('released')
    until[how](undefined as never)
    await Promise.allSettled([first, second])
    t.deepEqual(order, ['released', 'second'])
  }
})

test('requests of one name are granted in order, others at once', async t => {
  const [a, b] = [unique('a'), unique('b')]
  const granted: number[] = []
  const log = (n: number) => () => void granted.push(n)
  await Promise.all([1, 2, 3].map(n => locks.request(a, log(n))))
  let inner: Promise<unknown> = Promise.resolve()
  await locks.request(a, async () => {
    inner = Promise.all([locks.request(a, log(4)), locks.request(b, log(5))])
  })
  await inner
  t.deepEqual(granted, [1, 2, 3, 5, 4])
})

test('shared locks are granted together and in order', async t => {
  const names = [unique('a'), unique('b'), unique('c')]
  const granted: number[] = []
  await Promise.all(
    [0, 1, 2, 3, 4, 5].map(n =>
      locks.request(names[n % 3] as string, { mode: 'shared' }, () => void granted.push(n)),
    ),
  )
  t.deepEqual(granted, [0, 1, 2, 3, 4, 5])
  const [name = ''] = names
  await locks.request(name, { mode: 'shared' }, () => locks.request(name, { mode: 'shared' }, () => 1))
  t.pass()
})

test('an exclusive lock is held between shared ones', async t => {
  const name = unique('l')
  const [first, then, last] = [deferred(), deferred(), deferred()]
  const five = (until: Promise<void>) =>
    Promise.all([1, 2, 3, 4, 5].map(() => locks.request(name, { mode: 'shared' }, () => until)))
  const shared = five(first.promise)
  const exclusive = locks.request(name, () => then.promise)
  const late = five(last.promise)
  const fiveShared = Array<string>(5).fill('shared')
  t.deepEqual(await modes(name), { held: fiveShared, pending: ['exclusive', ...fiveShared] })
  first.resolve()
  await shared
  t.deepEqual(await modes(name), { held: ['exclusive'], pending: fiveShared })
  then.resolve()
  await exclusive
  t.deepEqual(await modes(name), { held: fiveShared, pending: [] })
  last.resolve()
  await late
  t.deepEqual(await modes(name), { held: [], pending: [] })
})

test('ifAvailable: the callback gets the lock or null, and its result counts either way', async t => {
  const name = unique('l')
  const ask = (mode: 'shared' | 'exclusive' = 'exclusive') =>
    locks.request(name, { mode, ifAvailable: true }, lock => lock !== null)
  t.true(await ask())
  await locks.request(name, async () => {
    t.false(await ask())
    t.false(await ask('shared'))
    t.is(await locks.request(name, { ifAvailable: true }, async () => 123), 123)
    for (const callback of [
      () => Promise.reject(123),
      () => {
        throw 123
      },
    ]) {
      const [settled] = await Promise.allSettled([locks.request(name, { ifAvailable: true }, callback)])
      t.is((settled as PromiseRejectedResult).reason, 123)
    }
    t.true(await locks.request(unique('other'), { ifAvailable: true }, lock => lock !== null))
  })
  const { release, released } = await hold(name, { mode: 'shared' })
  t.true(await ask('shared'))
  t.false(await ask())
  const waits = locks.request(name, () => 1)
  t.false(await ask('shared'), 'not past a request that waits')
  release()
  await Promise.all([released, waits])
  t.true(await ask())
})

test('the signal is an AbortSignal', async t => {
  for (const signal of ['string', 12.34, false, {}, Symbol('s'), () => undefined, globalThis, null]) {
    const promise = untyped.request(unique('l'), { signal }, () => t.fail())
    await t.throwsAsync(promise, { instanceOf: TypeError })
  }
})

test('an aborted signal rejects with its reason and never lets the callback run', async t => {
  const name = unique('l')
  const never = (): void => t.fail('it is not called')
  await rejectsDom(t, locks.request(name, { signal: AbortSignal.abort() }, never), 'AbortError')
  for (const reason of ['my dog ate it', new DOMException('x', 'AbortError')]) {
    const before = locks.request(name, { signal: AbortSignal.abort(reason) }, never)
    const controller = new AbortController()
    const at = locks.request(name, { signal: controller.signal }, never)
    const next = locks.request(name, () => 'granted')
    controller.abort(reason)
    for (const promise of [before, at]) {
      const [settled] = await Promise.allSettled([promise])
      t.is((settled as PromiseRejectedResult).reason, reason)
    }
    t.is(await next, 'granted')
  }
})

test('a request that waits is aborted, and those behind it go on', async t => {
  const name = unique('l')
  const { release, released } = await hold(name, { mode: 'shared' })
  const controller = new AbortController()
  const { signal } = controller
  const waits = locks.request(name, { signal }, () => t.fail('it is not called'))
  const behind = locks.request(name, { mode: 'shared' }, () => 'granted')
  t.deepEqual(await modes(name), { held: ['shared'], pending: ['exclusive', 'shared'] })
  controller.abort()
  await rejectsDom(t, waits, 'AbortError')
  t.is(await behind, 'granted')
  release()
  await released
})

test('aborted by a time limit', async t => {
  const name = unique('l')
  const { release, released } = await hold(name)
  const waits = locks.request(name, { signal: AbortSignal.timeout(1) }, () => t.fail('it is not called'))
  await rejectsDom(t, waits, 'TimeoutError')
  release()
  await released
})

test('once the lock is granted its signal means nothing', async t => {
  const name = unique('l')
  for (const abortFirst of [true, false]) {
    const controller = new AbortController()
    const { release, released } = await hold(name, { signal: controller.signal })
    if (abortFirst) controller.abort()
    release()
    if (!abortFirst) controller.abort()
    t.is(await released, 'released')
  }
})

test('one signal aborts many requests', async t => {
  const name = unique('l')
  const { release, released } = await hold(name)
  const controller = new AbortController()
  const many = Array.from({ length: 50 }, () =>
    locks.request(name, { signal: controller.signal }, () => t.fail()),
  )
  controller.abort('all')
  for (const settled of await Promise.allSettled(many)) t.like(settled, { reason: 'all' })
  t.deepEqual(await modes(name), { held: ['exclusive'], pending: [] })
  release()
  await released
})

test('an abort is heard of even if an earlier listener stopped the event', async t => {
  const name = unique('l')
  const controller = new AbortController()
  controller.signal.addEventListener('abort', event => event.stopImmediatePropagation())
  const request = locks.request(name, { signal: controller.signal }, () => t.fail('it is not called'))
  controller.abort('stopped')
  const [settled] = await Promise.allSettled([request])
  t.like(settled, { reason: 'stopped' })
  t.deepEqual(await modes(name), { held: [], pending: [] })
})

test('steal takes the lock from all holders, before all waiters', async t => {
  const name = unique('l')
  t.is(await locks.request(name, { steal: true }, lock => lock?.mode), 'exclusive')
  const victims = await Promise.all([hold(name, { mode: 'shared' }), hold(name, { mode: 'shared' })])
  const order: string[] = []
  const waits = locks.request(name, () => order.push('waits'))
  await locks.request(name, { steal: true }, () => order.push('thief'))
  for (const { released } of victims) await rejectsDom(t, released, 'AbortError')
  await waits
  t.deepEqual(order, ['thief', 'waits'])
  // The victims' requests don't matter any more.
  for (const { release } of victims) release()
  t.is(await locks.request(name, () => 'granted'), 'granted')
})

test('the last thief wins', async t => {
  const name = unique('l')
  const first = locks.request(name, () => never())
  const thief = locks.request(name, { steal: true }, () => never())
  const last = locks.request(name, { steal: true }, () => 'won')
  await rejectsDom(t, first, 'AbortError')
  await rejectsDom(t, thief, 'AbortError')
  t.is(await last, 'won')
})

test('query shows the held locks and the waiting requests, in order', async t => {
  const [one, two] = [unique('l'), unique('l')]
  const held = await Promise.all([hold(one), hold(two, { mode: 'shared' })])
  const waits = [
    locks.request(one, { mode: 'shared' }, () => 1),
    locks.request(two, () => 2),
    locks.request(one, () => 3),
  ]
  const found = await locks.query()
  t.deepEqual(Object.keys(found), ['held', 'pending'])
  t.is(Object.getPrototypeOf(found), Object.prototype)
  const [{ clientId } = { clientId: '' }] = of(found.held, one)
  t.regex(clientId, /./)
  t.deepEqual(of(found.held, one), [{ name: one, mode: 'exclusive', clientId }])
  t.deepEqual(of(found.held, two), [{ name: two, mode: 'shared', clientId }])
  t.deepEqual(
    found.pending.filter(lock => lock.name === one || lock.name === two),
    [
      { name: one, mode: 'shared', clientId },
      { name: two, mode: 'exclusive', clientId },
      { name: one, mode: 'exclusive', clientId },
    ],
  )
  for (const { release } of held) release()
  t.deepEqual(await Promise.all(waits), [1, 2, 3])
  t.deepEqual(await modes(one), { held: [], pending: [] })
})

test('typed as the platform has it', async t => {
  const manager: LockManager = locks
  const value: number = await manager.request(unique('l'), { mode: 'shared' }, async lock => (lock ? 1 : 0))
  const text: string = await manager.request(unique('l'), lock => lock?.name ?? '')
  t.deepEqual([value, typeof text], [1, 'string'])
})
