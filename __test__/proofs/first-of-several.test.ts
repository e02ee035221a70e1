import '../helpers/domain.js'
import ava from 'ava'
import { Pipe, Queue } from 'crossmem'
import { random } from '../helpers/random.js'
import { startPeer } from '../processes/peers.js'

const MESSAGES = 600

ava('a race of kept promises gets each message once, also where it is aborted now and then', async t => {
  const there = await startPeer(t, 'process')
  using numbers = Queue.create<number>(null, { capacity: 4 })
  using more = Queue.create<number>(null, { capacity: 64 })
  const [mine, yours] = Pipe.create<number>()
  const values = Array.from({ length: MESSAGES }, (_, i) => i)
  const far = await Promise.all([there.open(numbers), there.open(more), there.open(yours)])
  const sent = [far[0].do('putMany', values), far[1].do('putMany', values)]
  const spoken = (async () => {
    for (const value of values) await far[2].do('send', value)
  })()

  const sources = [
    (signal: AbortSignal) => numbers.get({ signal }),
    (signal: AbortSignal) => more.get({ signal }),
    (signal: AbortSignal) => mine.recv({ signal }),
  ]
  const got: number[][] = sources.map(() => [])
  const below = random(3)
  let aborts = 0
  while (got.flat().length < sources.length * MESSAGES) {
    const stop = new AbortController()
    const next = (source: number) =>
      (sources[source] as (typeof sources)[0])(stop.signal).then(value => ({ source, value }))
    const pending = sources.map((_, source) => next(source))
    for (let left = below(9); left > 0 && got.flat().length < sources.length * MESSAGES - 3; left--) {
      const { source, value } = await Promise.race(pending)
      got[source]?.push(value)
      pending[source] = next(source)
    }
    stop.abort()
    for (const outcome of await Promise.allSettled(pending)) {
      if (outcome.status === 'fulfilled') got[outcome.value.source]?.push(outcome.value.value)
      else aborts++
    }
    await new Promise(resolve => setImmediate(resolve))
  }
  await Promise.all([...sent, spoken])
  t.deepEqual(got, [values, values, values])
  t.true(aborts > 10)
  mine.close()
})
