import { readdirSync } from 'node:fs'
import ava from 'ava'
import * as crossmem from 'crossmem'
import { list, Mutex, open } from 'crossmem'
import { unique } from '../helpers/domain.js'
import { deaths, die } from '../processes/deaths.js'
import { places } from '../processes/hire.js'
import { type Distant, type Peer, startPeer } from '../processes/peers.js'

const test = ava.serial

/** Each class, and what its maker gives it. */
const makers: Record<string, unknown[]> = {
  SharedMemory: [100],
  ShareableList: [[1, 'two']],
  NDArray: [{ shape: [3], fill: 42 }],
  Value: ['int32', 42],
  SharedArray: ['int32', [42]],
  Mutex: [],
  RLock: [],
  RwLock: [],
  Semaphore: [2],
  Condition: [],
  Event: [],
  Barrier: [2],
  Queue: [],
  JoinableQueue: [],
  MpmcQueue: [],
  SpscQueue: [],
  RecordQueue: [{ dtype: [['x', '<i4']] }],
}

const all = Object.keys(makers)

/** A user of one object of each class. */
interface User {
  peer: Peer
  handles: Distant[]
}

const nameOf = (kind: string, prefix: string): string => `${prefix}-${kind}`

async function make(peer: Peer, prefix: string): Promise<User> {
  const create = ([kind, args]: [string, unknown[]]) =>
    peer.it(`crossmem.${kind}`).take('create', nameOf(kind, prefix), ...args)
  const user = { peer, handles: await Promise.all(Object.entries(makers).map(create)) }
  await handleOf(user, 'Queue').do('putSync', 42)
  return user
}

const use = async (peer: Peer, prefix: string): Promise<User> => ({
  peer,
  handles: await Promise.all(all.map(kind => peer.open(nameOf(kind, prefix)))),
})

const handleOf = ({ handles }: User, kind: string): Distant => handles[all.indexOf(kind)] as Distant

async function end({ peer, handles }: User, how: (typeof ends)[number]): Promise<void> {
  if (how === 'close') await Promise.all(handles.map(handle => handle.do('close')))
  else await die(peer, how)
}

const ends = ['close', ...deaths] as const
const named = (prefix: string) => list().filter(({ name }) => name.startsWith(prefix))

/** What was put into the objects, as another process that opens them by name finds it. */
function contents(prefix: string): unknown[] {
  const opened = all.map(kind => open(nameOf(kind, prefix)))
  const found = opened.map(handle => {
    if (handle instanceof crossmem.NDArray) return [...handle.data]
    if (handle instanceof crossmem.Value) return handle.value
    if (handle instanceof crossmem.SharedArray) return [...handle.data]
    if (handle instanceof crossmem.Queue) return handle.size
    return handle.constructor.name
  })
  for (const handle of opened) handle.close()
  return found
}

for (const place of places) {
  for (const goesFirst of ['maker', 'opener'] as const) {
    for (const how of ends) {
      for (const comes of ['a process that was there', 'a newcomer'] as const) {
        const title = `objects stay for their last user: the ${goesFirst} goes first (${how}, ${place}), then comes ${comes}`
        test(title, async t => {
          const prefix = unique('users')
          // This process is in the domain from the beginning, and opens none of the objects itself.
          using _ = Mutex.create(null)
          const maker = await make(await startPeer(t, place), prefix)
          const opener = await use(await startPeer(t, place), prefix)
          const before = contents(prefix)
          const [first, second] = goesFirst === 'maker' ? [maker, opener] : [opener, maker]
          const newcomer = comes === 'a newcomer' ? place : undefined

          await end(first, how)
          if (newcomer) await end(await use(await startPeer(t, newcomer), prefix), 'close')
          t.deepEqual(contents(prefix), before)
          t.deepEqual(
            named(prefix).map(({ doomed, present }) => [doomed, present]),
            all.map(() => [false, true]),
          )
          t.is(await handleOf(second, 'Queue').do('getSync'), 42, 'its user still uses it')

          await end(second, how)
          if (newcomer) {
            const late = await startPeer(t, newcomer)
            const refused = (kind: string) =>
              t.throwsAsync(late.open(nameOf(kind, prefix)), { code: 'ERR_NOT_FOUND' })
            await Promise.all(all.map(refused))
          }
          for (const kind of all) {
            t.throws(() => open(nameOf(kind, prefix)), { code: 'ERR_NOT_FOUND' })
          }
          t.deepEqual(named(prefix), [])
          if (process.platform !== 'linux') return
          t.deepEqual(
            readdirSync('/dev/shm').filter(file => file.startsWith(prefix)),
            [],
          )
        })
      }
    }
  }
}
