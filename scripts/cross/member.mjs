// `node scripts/cross/member.mjs make | join`: one of two processes that share a domain. The one
// that joins takes messages and answers, and is killed while it holds a lock and updates an array.
import { writeSync } from 'node:fs'
import { Mutex, NDArray, Queue } from '../../dist/index.mjs'

const [role] = process.argv.slice(2)
const messages = [
  { big: 2n ** 70n, text: 'é', when: new Date(1e12), bytes: Uint8Array.of(1, 2) },
  'x'.repeat(100_000),
]
const patient = { timeout: 300_000 }

if (role === 'make') {
  const [queue, answers] = [Queue.create('messages'), Queue.create('answers')]
  const mutex = Mutex.create('mutex')
  const array = NDArray.create('array', { shape: 1000, dtype: 'int32', fill: 3 })
  await queue.putMany(messages)
  writeSync(1, 'made\n')
  const answer = await answers.get(patient)
  // Comes when the other one was killed.
  const { ownerDied } = await mutex.lock(patient)
  let refused
  try {
    array.snapshot()
  } catch ({ code }) {
    refused = code
  }
  const repaired = array.update((data, { ownerDied }) => ownerDied && data.fill(5).length)
  const sum = array.snapshot().reduce((a, b) => a + b)
  writeSync(1, `${JSON.stringify({ answer, ownerDied, refused, repaired, sum })}\n`)
} else {
  const [queue, answers] = [Queue.open('messages'), Queue.open('answers')]
  const array = NDArray.open('array')
  const [first, second] = [await queue.get(patient), await queue.get(patient)]
  await Mutex.open('mutex').lock(patient)
  const sum = array.snapshot().reduce((a, b) => a + b)
  await answers.put({
    first: `${first.big} ${first.text} ${+first.when} ${first.bytes}`,
    second: second.length,
    sum,
  })
  array.update(data => {
    data.fill(4)
    writeSync(1, 'inside\n')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })
}
