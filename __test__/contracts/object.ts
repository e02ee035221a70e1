import ava from 'ava'
import * as crossmem from 'crossmem'
import { CrossmemError, list, open } from 'crossmem'
import { unique } from '../helpers/domain.js'
import { places } from '../processes/hire.js'
import { Distant, startPeer } from '../processes/peers.js'

const test = ava.serial

export interface AnyObject extends Disposable {
  readonly crossmem: string
  readonly name: string
  readonly persist: boolean
  unlink(): void
  close(): void
  toJSON(): { crossmem: string; name: string }
}

/** A class of objects, with what its makers take behind the name. */
export interface Maker<T extends AnyObject> {
  create(name: string | null, ...args: never[]): T
  open(name: string): T
  openOrCreate(name: string, ...args: never[]): T
}

/**
 * What is promised of every class of objects: how they are made, opened, named, passed on and
 * closed.
 */
export function testObject<T extends AnyObject>(
  Class: Maker<T> & { name: string },
  args: unknown[],
  /** Calls that an open handle takes, for the test that a closed one doesn't. */
  uses: ((object: T) => unknown)[],
  /** Whether it is plain memory, which processes outside of the domain use, too. */
  isPlain = false,
): void {
  const kind = Class.name
  const make = (name: string | null, options?: object): T =>
    Class.create(name, ...([...args, options] as never[]))
  const openOrCreate = (name: string): T => Class.openOrCreate(name, ...(args as never[]))

  test(`${kind}: create refuses an existing name, open a missing one, openOrCreate neither`, t => {
    const name = unique('made')
    t.throws(() => Class.open(name), { instanceOf: CrossmemError, code: 'ERR_NOT_FOUND' })
    using made = openOrCreate(name)
    t.throws(() => make(name), { instanceOf: CrossmemError, code: 'ERR_EXISTS' })
    using again = openOrCreate(name)
    using third = Class.open(name)
    t.deepEqual([made.name, again.name, third.name], [name, name, name])
    t.deepEqual(
      list()
        .filter(object => object.name === name)
        .map(object => object.kind),
      [kind],
    )
    using unnamed = make(null)
    using other = make(null)
    t.not(unnamed.name, other.name)
  })

  test(`${kind}: invalid arguments are refused`, t => {
    t.throws(() => make('a/b'), { code: 'ERR_INVALID_NAME' })
    t.throws(() => Class.open(7 as never), { code: 'ERR_INVALID_NAME' })
    t.throws(() => make(unique('persist'), { persist: 'yes' }), { code: 'ERR_INVALID_ARG' })
    // This domain is of one user, so a mode lets others use plain memory only.
    const shared = isPlain ? [] : [{ mode: 0o660 }]
    for (const access of [...shared, { mode: 0o640 }, { mode: '600' }, { group: '' }, { group: -1 }]) {
      t.throws(() => make(unique('access'), access), { code: 'ERR_INVALID_ARG' })
    }
    t.throws(() => new (Class as unknown as new () => T)(), {
      code: 'ERR_INVALID_ARG',
      message: /not with new/,
    })
    using memory = crossmem.SharedMemory.create(null, 1 << 20)
    t.throws(() => Class.open(memory.name), { code: 'ERR_WRONG_KIND' })
    using object = make(null)
    t.throws(() => crossmem.SharedMemory.open(object.name), { code: 'ERR_WRONG_KIND' })
  })

  for (const place of places) {
    test(`${kind}: whichever side starts first, both have the same one, and the last out removes it: ${place}`, async t => {
      const there = await startPeer(t, place)
      const [ours, theirs] = [unique('ours'), unique('theirs')]
      const mine = openOrCreate(ours)
      const far = await there.it(`crossmem.${kind}`).take('openOrCreate', ours, ...args)
      const farFirst = await there.it(`crossmem.${kind}`).take('openOrCreate', theirs, ...args)
      const mineSecond = openOrCreate(theirs)
      const named = list().filter(object => [ours, theirs].includes(object.name))
      t.deepEqual(
        named.map(object => object.attached.length),
        [2, 2],
      )
      for (const end of [mine, mineSecond]) end.close()
      t.is(list().length, 2)
      for (const end of [far, farFirst]) await end.do('close')
      t.deepEqual(list(), [])
    })

    test(`${kind}: references travel: ${place}`, async t => {
      const there = await startPeer(t, place)
      using object = make(null)
      t.deepEqual(JSON.parse(JSON.stringify(object)), { crossmem: kind, name: object.name })
      const far = await there.open(object)
      t.true(far instanceof Distant)
      const reference = await far.do<{ crossmem: string; name: string }>('toJSON')
      using back = open(reference) as unknown as T
      t.true(back instanceof (Class as unknown as new () => T))
      t.is(back.name, object.name)
      using byName = open(object.name) as unknown as T
      t.is(byName.crossmem, kind)
    })
  }

  test(`${kind}: structured clones are references`, async t => {
    using object = make(null)
    using back = open(structuredClone(object) as never) as unknown as T
    t.is(back.name, object.name)
  })

  test(`${kind}: a persistent one stays until it is unlinked`, t => {
    const name = unique('persistent')
    const made = make(name, { persist: true })
    t.true(made.persist)
    made.close()
    using again = Class.open(name)
    t.true(again.persist)
    again.unlink()
    again.unlink()
    t.throws(() => Class.open(name), { code: 'ERR_NOT_FOUND' })
  })

  test(`${kind}: a closed handle is refused, and closing again does nothing`, async t => {
    const object = make(null)
    const other = Class.open(object.name)
    object.close()
    object.close()
    object[Symbol.dispose]()
    for (const use of [...uses, (object: T) => object.persist, (object: T) => object.unlink()]) {
      await t.throwsAsync(async () => use(object), { code: 'ERR_CLOSED' }, String(use))
    }
    t.deepEqual(object.toJSON(), { crossmem: kind, name: object.name })
    t.false(other.persist, 'the other handle is as open as before')
    other.close()
    t.deepEqual(list(), [])
  })
}
