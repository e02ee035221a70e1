import '../helpers/domain.js'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { inspect } from 'node:util'
import ava from 'ava'
import { CrossmemError, type ListItem, ShareableList } from 'crossmem'
import { testObject } from '../contracts/object.js'
import { unique } from '../helpers/domain.js'
import { random } from '../helpers/random.js'
import { gone, start } from '../processes/children.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial

testObject(
  ShareableList,
  [[1, 'two', null]],
  [
    one => one.get(0),
    one => one.set(0, 1),
    one => one.format,
    one => one.count(1),
    one => one.indexOf(1),
    one => one.toArray(),
    one => [...one],
  ],
  true,
)

const show = (item: ListItem): string => inspect(item)
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))

for (const place of places) {
  test(`two agents change the same items: ${place}`, async t => {
    const there = await startPeer(t, place)
    using mine = ShareableList.create(null, ['howdy', -273.154, 100, true, null])
    const theirs = await there.open(mine)
    await theirs.do('set', 0, 'partner')
    await theirs.do('set', -1, 5)
    mine.set(2, 'text')
    t.deepEqual(mine.toArray(), ['partner', -273.154, 'text', true, 5])
    t.deepEqual(await theirs.do('toArray'), mine.toArray())
    t.is(await theirs.do('length'), 5)
    await theirs.do('close')
  })
}

test('an item is read as it was set, whatever was there before', t => {
  const items: ListItem[] = [
    0,
    -7,
    2 ** 53 - 1,
    2n ** 53n,
    -(2n ** 63n),
    -0,
    0.1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 60,
    true,
    false,
    null,
    '',
    'é\0冷蔵庫🧊',
    new Uint8Array(0),
    bytes('\0ab'),
  ]
  using one = ShareableList.create(null, items)
  t.deepEqual([...one], items)
  using turned = ShareableList.create(null, ['some twenty characters'])
  for (const before of items) {
    for (const after of items) {
      turned.set(0, before)
      turned.set(0, after)
      t.deepEqual(turned.get(0), after, `${String(before)} → ${String(after)}`)
    }
  }
})

test('whole numbers are ints, and in place of a float they stay floats', t => {
  using one = ShareableList.create(null, [1, 0.5, 5n, true, 'text', Buffer.from('bytes'), null])
  t.is(one.format, 'qdqxxxxxxx?8s8sxxxxxx?x')
  one.set(0, 2)
  one.set(1, 2)
  t.is(one.format.slice(0, 2), 'qd')
  t.is(one.get(1), 2)
  one.set(1, 2n)
  one.set(0, 1.5)
  t.is(one.format.slice(0, 2), 'dq')
})

test('items are found by their value', t => {
  using one = ShareableList.create(null, [1, true, '1', bytes('1'), 1, 2n ** 60n, null, Number.NaN])
  t.is(one.count(1), 2)
  t.is(one.count(1n), 2)
  t.is(one.count(true), 1)
  t.is(one.indexOf('1'), 2)
  t.is(one.indexOf(Buffer.from('1')), 3)
  t.is(one.indexOf(2n ** 60n), 5)
  t.is(one.indexOf(null), 6)
  t.is(one.indexOf(Number.NaN), -1)
  t.is(one.indexOf('2'), -1)
})

test('what no item can be is refused, and the list stays as it was', t => {
  using one = ShareableList.create(null, ['12345678', 7])
  const wrong = [undefined, {}, [], Symbol('s'), () => 1, new Uint16Array(2), new Date(), 2n ** 63n]
  for (const item of [...wrong, 'half \ud800', 'zero\0', bytes('zero\0')]) {
    t.throws(() => one.set(0, item as never), { code: 'ERR_INVALID_ARG' })
    t.throws(() => ShareableList.create(null, [item as never]), { code: 'ERR_INVALID_ARG' })
  }
  t.throws(() => one.set(0, 'x'.repeat(17)), { code: 'ERR_TOO_LARGE', message: /room for 16 bytes.*has 17/ })
  t.throws(() => one.set(1, 'ééééé'), { code: 'ERR_TOO_LARGE', message: /room for 8 bytes.*has 10/ })
  t.throws(() => ShareableList.create(null, ['x'.repeat(9_999_992)]), { code: 'ERR_TOO_LARGE' })
  for (const index of [2, -3, Number.MAX_SAFE_INTEGER]) {
    t.throws(() => one.get(index), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => one.set(index, 1), { code: 'ERR_OUT_OF_RANGE' })
  }
  for (const index of [0.5, Number.NaN, '0', undefined, 0n]) {
    t.throws(() => one.get(index as never), { code: 'ERR_INVALID_ARG' })
  }
  for (const items of [undefined, null, 'text', 5, {}]) {
    t.throws(() => ShareableList.create(null, items as never), { code: 'ERR_INVALID_ARG' })
  }
  t.throws(() => ShareableList.create(null, [1], { table: 'rows' as never }), { code: 'ERR_INVALID_ARG' })
  t.deepEqual(one.toArray(), ['12345678', 7])
})

test('the longest item has a format of eight characters', t => {
  const longest = new Uint8Array(9_999_991).fill(1)
  using one = ShareableList.create(null, [longest])
  t.is(one.format, '9999992s')
  t.is(Buffer.compare(one.get(0) as Uint8Array, longest), 0)
})

test('openOrCreate takes a list as it is, unless its size or table is another', t => {
  using made = ShareableList.create(null, ['a', 1], { table: 'sizes' })
  using same = ShareableList.openOrCreate(made.name, ['b', 2])
  t.deepEqual(same.toArray(), ['a', 1])
  t.throws(() => ShareableList.openOrCreate(made.name, ['a']), { code: 'ERR_INVALID_ARG' })
  t.throws(() => ShareableList.openOrCreate(made.name, ['a', 1], { table: 'offsets' }), {
    code: 'ERR_INVALID_ARG',
    message: /table 'sizes'/,
  })
  using empty = ShareableList.create(null, [])
  using alsoEmpty = ShareableList.openOrCreate(empty.name, [], { table: 'sizes' })
  t.deepEqual([...alsoEmpty], [])
})

test('a list is complete as soon as its name is there', async t => {
  const there = await startPeer(t, 'process')
  const far = await there.it('crossmem.ShareableList').take('create', null, [1, 'two'])
  const { name } = await far.do<{ name: string }>('toJSON')
  using mine = ShareableList.open(name)
  await there.hired.kill()
  t.deepEqual(mine.toArray(), [1, 'two'])
})

/** What the item is if its writer dies before each store. */
const deaths: [before: ListItem, after: ListItem, seen: ListItem[]][] = [
  [1, 2, [1]],
  [0.5, 1.5, [0.5]],
  [true, false, [true]],
  [1, 0.5, [1, null, null, null]],
  [1, true, [1, null, null, null]],
  [null, 7, [null, null, null, null]],
  [1, null, [1, null, null, null]],
  ['first words', 'second words', ['first words', null, null, null]],
  ['first words', bytes('second words'), ['first words', null, null, null]],
  ['text', 7, ['text', null, null, null]],
]

for (const [before, after, seen] of deaths) {
  test(`a writer is killed at each store of ${show(before)} → ${show(after)}`, async t => {
    const rounds = [...seen, after].map(async (item, i) => {
      using one = ShareableList.create(null, [before, after])
      const child = start('memory/die-while-setting', JSON.stringify(one), String(i + 1))
      const { signal } = await gone(child)
      t.is(signal, i < seen.length ? 'SIGKILL' : null)
      t.deepEqual(one.toArray(), [item, after], `dead before store ${i + 1}`)
      one.set(0, after)
      t.deepEqual(one.get(0), after)
    })
    await Promise.all(rounds)
  })
}

if (process.platform === 'linux') {
  const foreign = unique('foreign')
  const file = `/dev/shm/${foreign}`
  test.after.always(() => rmSync(file, { force: true }))

  test('bytes that are no list are refused', t => {
    const sizes = (...words: number[]): Uint8Array =>
      new Uint8Array(BigInt64Array.from(words.map(BigInt)).buffer)
    const wrong = [
      bytes('short'),
      // Made by Python, and not written yet.
      new Uint8Array(200),
      sizes(-1, 0, 8, 8, 8, 8),
      sizes(2 ** 40, 0, 8, 8, 8, 8),
      // Items that end before they start, have no room, or more than there is.
      sizes(1, 0, -8, 0, 0, 0, 0),
      sizes(2, 0, 8, 8, 0, 0, 0, 0, 0),
      sizes(1, 0, 4, 0, 0, 0, 0),
      sizes(1, 0, 2 ** 40, 0, 0, 0, 0),
      sizes(1, 80, 0, 0, 0),
    ]
    for (const contents of wrong) {
      writeFileSync(file, contents)
      t.throws(() => ShareableList.open(foreign), { code: 'ERR_CORRUPT' }, contents.join())
    }
  })

  test('items that make no sense are refused, and can be set again', t => {
    using sound = ShareableList.create(null, [1, 'two', null, 2.5, bytes('five'), true])
    const contents = readFileSync(`/dev/shm/${sound.name}`)
    const below = random(1)
    let refused = 0
    for (let round = 0; round < 3000; round++) {
      const scribbled = Uint8Array.from(contents)
      scribbled[below(scribbled.length)] = below(256)
      writeFileSync(file, scribbled)
      try {
        using one = ShareableList.open(foreign)
        for (let i = 0; i < one.length; i++) {
          const item = heard(() => one.get(i))
          if (item === undefined) refused++
          one.set(i, 7)
          t.is(one.get(i), 7)
        }
      } catch (error) {
        refused++
        t.is((error as CrossmemError).code, 'ERR_CORRUPT', String(error))
      }
    }
    t.true(refused > 100)
  })
}

function heard(get: () => ListItem): ListItem | undefined {
  try {
    return get()
  } catch (error) {
    if (error instanceof CrossmemError && error.code === 'ERR_CORRUPT') return undefined
    throw error
  }
}
