import '../helpers/domain.js'
import { readFileSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import { type ListItem, list, open, ShareableList } from 'crossmem'
import type { ListOrders } from '../fixtures/python/orders.js'
import { unique } from '../helpers/domain.js'
import { pythonVersionTest } from '../helpers/python.js'
import { random } from '../helpers/random.js'
import { type Hired, hire } from '../processes/hire.js'
import { withPython } from '../processes/python.js'

/** The versions with a table of sizes and with one of offsets. */
const versions = [
  ['3.8', 'sizes'],
  ['3.13', 'offsets'],
] as const

/** Items for Node, as Python spells them. */
const samples: [ListItem, string][] = [
  [0, '0'],
  [-1, '-1'],
  [2 ** 53 - 1, '9007199254740991'],
  [2n ** 53n, '9007199254740992'],
  [2n ** 63n - 1n, '9223372036854775807'],
  [-(2n ** 63n), '-9223372036854775808'],
  [0.5, '0.5'],
  [-0, '-0.0'],
  [Number.NaN, 'nan'],
  [Number.NEGATIVE_INFINITY, '-inf'],
  [1e300, '1e+300'],
  [Number.MIN_VALUE, '5e-324'],
  [true, 'True'],
  [false, 'False'],
  [null, 'None'],
  ['', "''"],
  ['seven77', "'seven77'"],
  ['eight888', "'eight888'"],
  ['in\0side', "'in\\x00side'"],
  ['\ufeffmark', "'\\ufeffmark'"],
  ['ééééééé', "'ééééééé'"],
  ['x'.repeat(1000), `'${'x'.repeat(1000)}'`],
  [Uint8Array.of(), "b''"],
  [Uint8Array.of(0, 255, 0, 1), "b'\\x00\\xff\\x00\\x01'"],
  [new Uint8Array(64).fill(65), `b'${'A'.repeat(64)}'`],
]
const items = samples.map(([item]) => item)
const spelled = samples.map(([, text]) => text)
/** A literal of all samples, in which Python has as many characters as UTF-8 has bytes. */
const literal = `[${spelled.join(', ')}]`

/** Runs `talk` with a Python of that path. */
const withList = (
  t: ExecutionContext,
  interpreter: string,
  talk: (python: Hired<ListOrders>) => Promise<void>,
): Promise<void> => withPython(t, 'python/share-list', talk, { interpreter })

const memoryOf = ({ name }: { name: string }): string => readFileSync(`/dev/shm/${name}`).toString('hex')

for (const [version, table] of versions) {
  pythonVersionTest(
    version,
    `Python ${version} and Node make the same bytes of the same items`,
    async (t, path) => {
      await withList(t, path, async python => {
        const fitting = samples.filter(([item]) => item !== 'ééééééé')
        for (const some of [fitting, [], ...samples.map(sample => [sample])]) {
          const theirs = await python.tell({
            do: 'make',
            items: `[${some.map(([, text]) => text).join(', ')}]`,
          })
          using ours = ShareableList.create(
            null,
            some.map(([item]) => item),
            { table },
          )
          const bytes = await python.tell({ do: 'memory' })
          // Python 3.8 and 3.9 cut off text of many bytes for each character; ours isn't cut off.
          if (some[0]?.[0] !== 'ééééééé') {
            t.is(memoryOf(ours), bytes, theirs.format)
            t.is(ours.format, theirs.format)
          }
          await python.tell({ do: 'close', unlink: true })
        }
      })
    },
  )

  pythonVersionTest(
    version,
    `Python ${version} reads and changes each item of a list of Node`,
    async (t, path) => {
      await withList(t, path, async python => {
        using ours = ShareableList.create(null, items, { table })
        await python.tell({ do: 'open_', name: ours.name })
        t.deepEqual(await python.tell({ do: 'items' }), spelled)
        for (const [i, [item, text]] of samples.entries()) {
          t.deepEqual(ours.get(i), item)
          // Each item becomes each other one that fits in 8 bytes, and itself again.
          for (const [other, otherText] of samples.slice(0, 17)) {
            await python.tell({ do: 'set_', index: i, item: otherText })
            t.deepEqual(ours.get(i), other, `${text} → ${otherText}`)
          }
          await python.tell({ do: 'set_', index: i, item: text })
          t.deepEqual(ours.get(i), item)
        }
        t.deepEqual(ours.toArray(), items)
        await python.tell({ do: 'close' })
        t.deepEqual(ours.toArray(), items)
      })
      t.deepEqual(list(), [])
    },
  )

  pythonVersionTest(
    version,
    `Node reads and changes each item of a list of Python ${version}`,
    async (t, path) => {
      await withList(t, path, async python => {
        const { name, format } = await python.tell({
          do: 'make',
          items: literal.replace('ééééééé', 'e'.repeat(14)),
        })
        using theirs = open({ crossmem: 'ShareableList', name })
        t.is(theirs.format, format)
        t.is(theirs.length, items.length)
        theirs.set(spelled.indexOf("'ééééééé'"), 'ééééééé')
        t.deepEqual([...theirs], items)
        t.deepEqual(await python.tell({ do: 'items' }), spelled)
        for (const i of items.keys()) {
          for (const [other, otherText] of samples.slice(0, 17)) {
            theirs.set(
              i,
              typeof other === 'number' && Number.isSafeInteger(other) && otherText !== '-0.0'
                ? BigInt(other)
                : other,
            )
            t.deepEqual(theirs.get(i), other)
            t.is((await python.tell({ do: 'items' }))[i], otherText)
          }
        }
        t.false(
          list().some(object => object.name === name),
          'it is Python that removes it',
        )
        t.throws(() => ShareableList.create(name, [1]), { code: 'ERR_EXISTS' })
        await python.tell({ do: 'close', unlink: true })
        t.throws(() => ShareableList.open(name), { code: 'ERR_NOT_FOUND' })
      })
    },
  )

  pythonVersionTest(
    version,
    `Python ${version} and Node refuse and store the same changes, byte for byte`,
    async (t, path) => {
      await withList(t, path, async python => {
        const below = random(7)
        using ours = ShareableList.create(null, items, { table })
        await python.tell({ do: 'make', items: literal.replace('ééééééé', 'e'.repeat(14)) })
        await python.tell({ do: 'set_', index: spelled.indexOf("'ééééééé'"), item: "'ééééééé'" })
        t.is(memoryOf(ours), await python.tell({ do: 'memory' }))
        for (let step = 0; step < 400; step++) {
          const [item, text] = samples[below(samples.length)] as [ListItem, string]
          const index = below(items.length) - (step % 2) * items.length
          const isInt = typeof item === 'number' && /^-?\d+$/.test(text)
          const outcomes = await Promise.allSettled([
            (async () => ours.set(index, isInt ? BigInt(item) : item))(),
            python.tell({ do: 'set_', index, item: text }),
          ])
          t.is(outcomes[0].status, outcomes[1].status, `${step}: ${index} = ${text}`)
        }
        t.is(memoryOf(ours), await python.tell({ do: 'memory' }))
        t.is(ours.count('seven77'), await python.tell({ do: 'count', item: "'seven77'" }))
        t.is(ours.indexOf(null), await python.tell({ do: 'index', item: 'None' }))
        await python.tell({ do: 'close', unlink: true })
      })
    },
  )

  pythonVersionTest(
    version,
    `Python ${version} drops zeros at the end, and text that it can't read is refused`,
    async (t, path) => {
      await withList(t, path, async python => {
        const { name } = await python.tell({ do: 'make', items: "['a\\0', b'b\\0', '冷蔵庫冷蔵庫', '冷']" })
        using theirs = ShareableList.open(name)
        t.deepEqual(
          [theirs.get(0), theirs.get(1), theirs.get(3)],
          ['a', Uint8Array.from(Buffer.from('b')), '冷'],
        )
        const whole = await python.tell({ do: 'items' }).catch((error: Error) => error.message)
        if (typeof whole === 'string') {
          t.regex(whole, /UnicodeDecodeError/)
          t.throws(() => theirs.get(2), { code: 'ERR_CORRUPT', message: /cut off its text/ })
        } else {
          t.is(theirs.get(2), '冷蔵庫冷蔵庫')
        }
        theirs.set(2, '冷蔵')
        t.deepEqual(await python.tell({ do: 'items' }), ["'a'", "b'b'", "'冷蔵'", "'冷'"])
        // Node gives text the room that its bytes need.
        using ours = ShareableList.create(unique('wide'), ['冷蔵庫冷蔵庫'], { table })
        await python.tell({ do: 'close', unlink: true })
        await python.tell({ do: 'open_', name: ours.name })
        t.deepEqual(await python.tell({ do: 'items' }), ["'冷蔵庫冷蔵庫'"])
        await python.tell({ do: 'close' })
      })
    },
  )
}

for (const [version, table] of versions) {
  pythonVersionTest(
    version,
    `Python ${version} is killed while it changes an item, which can be set again`,
    async (t, path) => {
      const python = await hire<ListOrders>('python/share-list', { as: 'python', interpreter: path })
      using ours = ShareableList.create(null, [1, 'two'], { table })
      await python.tell({ do: 'open_', name: ours.name })
      await python.tell({ do: 'set_format', index: 0, format: '8s' })
      await python.kill()
      t.throws(() => ours.get(0), { code: 'ERR_CORRUPT', message: /set it again/ })
      t.is(ours.get(1), 'two')
      ours.set(0, 7)
      t.deepEqual(ours.toArray(), [7, 'two'])
    },
  )
}

pythonVersionTest(
  '3.8',
  'Python 3.8 opens no list of later versions, and Node opens both',
  async (t, path) => {
    await withList(t, path, async python => {
      using later = ShareableList.create(null, [1, 2.5, 'x'])
      await t.throwsAsync(
        async () => {
          await python.tell({ do: 'open_', name: later.name })
          await python.tell({ do: 'items' })
        },
        { message: /Error|error/ },
      )
      using earlier = ShareableList.create(null, [1, 2.5, 'x'], { table: 'sizes' })
      using again = ShareableList.open(earlier.name)
      t.deepEqual(again.toArray(), [...later])
    })
  },
)
