import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import ava from 'ava'
import { list, Queue } from 'crossmem'
import { unique } from '../helpers/domain.js'
import { fixture } from '../helpers/paths.js'

const test = ava.serial

const said = ['prepended', 'added before the first use', 'on', 'once', 'locked: false']
/** How the program ends, and its exit code; a worker ends with 0 where a listener throws. */
const ends = { naturally: 0, exit: 3, throw: 1, reject: 1, 'exit in a listener': 4, 'throw in a listener': 1 }

for (const where of ['main', 'worker']) {
  for (const firstUse of ['before', 'at exit']) {
    for (const [end, code] of Object.entries(ends)) {
      test(`handles work in every exit listener, and an agent leaves at once: ${where} ends, ${end}, first use ${firstUse}`, async t => {
        const left = unique('left')
        using queue = Queue.create(null)
        const orders = JSON.stringify({ queue: queue.name, left, where, firstUse, end })
        const child = spawn(process.execPath, [fixture('native/use-at-exit'), orders])
        const [[exitCode, signal], printed, complaints] = await Promise.all([
          once(child, 'close'),
          text(child.stdout),
          text(child.stderr),
        ])
        t.deepEqual(queue.tryGetMany(100), said, complaints)
        t.is(signal, null)
        if (where === 'main') t.is(exitCode, code)
        else t.deepEqual(JSON.parse(printed), { code: end === 'throw in a listener' ? 0 : code, left: [] })
        t.deepEqual(
          list().flatMap(({ name }) => (name.startsWith(left) ? [name] : [])),
          [],
        )
      })
    }
  }
}
