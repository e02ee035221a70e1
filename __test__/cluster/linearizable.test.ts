import '../helpers/domain.js'
import ava from 'ava'
import type { RemoteConnection } from 'crossmem/redis'
import { Redis } from 'ioredis'
import { unique } from '../helpers/domain.js'
import { type Below, random } from '../helpers/random.js'
import { isLinearizable, type Step } from '../histories/linearizable.js'
import { connectTo, serverTests } from '../processes/redis.js'
import { clients } from '../processes/redis-clients.js'
import { RedisServer } from '../processes/redis-server.js'

const test = ava.serial

const ROUNDS = 60
const CALLS = 5

/** Notes a call. One that a cut ended may have taken effect, or not. */
async function note<State, Answer>(
  steps: Step<State>[],
  call: () => Promise<Answer>,
  from: (state: State, answer: Answer | undefined) => State[],
): Promise<Answer | undefined> {
  const invoked = performance.now()
  try {
    const answer = await call()
    steps.push({ invoked, returned: performance.now(), from: state => from(state, answer) })
    return answer
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_DISCONNECTED') throw error
    steps.push({ invoked, returned: Infinity, from: state => from(state, undefined) })
    return undefined
  }
}

/** Whether the answer fits the number before; without an answer, any does. */
const fits = (before: number, answer: number | undefined) => answer === undefined || answer === before

async function useValue(
  far: RemoteConnection,
  name: string,
  below: Below,
  steps: Step<number>[],
): Promise<void> {
  const value = far.value(name)
  for (let i = 0; i < CALLS; i++) {
    const [kind, by, other] = [below(4), 1 + below(3), below(3)]
    if (kind === 0)
      await note(
        steps,
        () => value.get(),
        (now, answer) => (fits(now, answer) ? [now] : []),
      )
    else if (kind === 1) {
      await note(
        steps,
        () => value.add(by),
        (now, answer) => (fits(now, answer) ? [now + by] : []),
      )
    } else if (kind === 2) {
      await note(
        steps,
        () => value.exchange(by),
        (now, answer) => (fits(now, answer) ? [by] : []),
      )
    } else {
      await note(
        steps,
        () => value.compareExchange(other, by),
        (now, answer) => (fits(now, answer) ? [now === other ? by : now] : []),
      )
    }
  }
}

interface Lock {
  holder: number | null
  fence: number
}

async function useMutex(far: RemoteConnection, name: string, me: number, steps: Step<Lock>[]): Promise<void> {
  const mutex = far.mutex(name)
  for (let i = 0; i < CALLS; i++) {
    const invoked = performance.now()
    const guard = await mutex.lock()
    const returned = performance.now()
    const { fence } = guard
    steps.push({
      invoked,
      returned,
      from: ({ holder, fence: last }) => (holder === null && fence > last ? [{ holder: me, fence }] : []),
    })
    const free = (state: Lock): Lock[] =>
      state.holder === me && state.fence === fence ? [{ ...state, holder: null }] : []
    const begun = performance.now()
    try {
      await guard.release()
      steps.push({ invoked: begun, returned: performance.now(), from: free })
    } catch {
      // It was lost some time after it was taken, perhaps before the answer came.
      steps.push({ invoked, returned: Infinity, from: free })
    }
  }
}

/** Cuts a connection whenever some calls have returned, until the end. */
async function cut(
  operator: Redis,
  below: Below,
  returned: () => number,
  end: Promise<unknown>,
): Promise<number> {
  let isOver = false
  let cuts = 0
  const over = () => {
    isOver = true
  }
  end.then(over, over)
  while (!isOver) {
    const connections = String(await operator.client('LIST')).split('\n')
    const ids = connections
      .filter(line => !line.includes('cmd=client'))
      .map(line => /\bid=(\d+)/.exec(line)?.[1])
    const id = ids[below(ids.length)]
    if (id === undefined) continue
    await operator.call('CLIENT', 'KILL', 'ID', id)
    cuts++
    const next = returned() + 1 + below(3)
    while (returned() < next && !isOver) await new Promise(setImmediate)
  }
  return cuts
}

serverTests(program => {
  test(`${program.name}: histories of a value and a mutex are linearizable, though connections are cut`, async t => {
    t.timeout(240_000)
    const server = await RedisServer.start(program)
    t.teardown(() => server.stop())
    const operator = new Redis(server.address as { path: string })
    t.teardown(() => operator.disconnect())
    const users = await Promise.all(clients.map(client => connectTo(t, server, { client })))
    let cuts = 0
    for (let round = 0; round < ROUNDS; round++) {
      const below = random(round + 1)
      const [values, locks]: [Step<number>[], Step<Lock>[]] = [[], []]
      const name = unique('history')
      const use = Promise.all(
        users.flatMap((far, me) => [
          useValue(far, `${name} value`, random(100 * round + me), values),
          useMutex(far, `${name} mutex`, me, locks),
        ]),
      )
      // Without cuts in every other round.
      if (round % 2) cuts += await cut(operator, below, () => values.length + locks.length, use)
      await use
      t.true(isLinearizable(0, values), `value, round ${round}`)
      t.true(isLinearizable<Lock>({ holder: null, fence: 0 }, locks), `mutex, round ${round}`)
    }
    t.true(cuts > ROUNDS / 2, `${cuts}`)
  })
})

test('a history in which a change is lost, and one with two holders, are found', t => {
  const step = <State>(invoked: number, from: (state: State) => State[]): Step<State> => ({
    invoked,
    returned: invoked + 1,
    from,
  })
  const add = (before: number) => (now: number) => (now === before ? [now + 1] : [])
  t.false(isLinearizable(0, [step(0, add(0)), step(2, add(0))]))
  t.true(isLinearizable(0, [step(0, add(0)), step(2, add(1))]))
  const lock = (me: number) => (holder: number | null) => (holder === null ? [me] : [])
  t.false(isLinearizable<number | null>(null, [step(0, lock(1)), step(2, lock(2))]))
})
