import { join } from 'node:path'
import { CrossmemError } from '../errors.js'
import { callerOf, Process } from '../process/index.js'
import { Pipe } from '../queues/index.js'
import { asyncDispose, checkCount, checkOptions, type OptionNames, show } from '../util/index.js'
import { Connection, type Read, shareConnection } from './connection.js'
import type { Target } from './dialling.js'
import { entriesToWire, type ManagedDict, type ManagedNamespace } from './dict.js'
import { itemsToWire, type ManagedArray, type ManagedList, type ManagedValue } from './list.js'
import type { ManagedBarrier, ManagedCondition, ManagedEvent, ManagedLock, ManagedSemaphore } from './lock.js'
import { Managed, nothing, plain, proxyOf, toWire } from './managed.js'
import type { Maker } from './object-store.js'
import { checkName, tidy } from './places.js'
import { ROOT, type WireObject } from './protocol.js'
import type { ManagedJoinableQueue, ManagedQueue } from './queue.js'
import { argumentsToWire, type Remote } from './remote.js'
import type { Report } from './serve-main.js'
import { ManagerServer, type ManagerStats } from './server.js'
import {
  type ConnectOptions,
  checkConnect,
  checkServe,
  checkStart,
  type ManagerOptions,
  type ServeOptions,
  type Started,
} from './settings.js'
import { decode, refused } from './values.js'

const MAKER = Symbol('Manager')

/** Options of a queue of a manager. */
export interface ManagedQueueOptions {
  /** How many values it has room for. Default: 1024. */
  capacity?: number
}

const QUEUE_OPTIONS: OptionNames<ManagedQueueOptions> = { capacity: true }

/**
 * After so many deaths, each within this time after the start before, no new process is started.
 */
const MOST_DEATHS = 5
const SOON = 1000

/** What is behind a manager: a process that this one started, a server here, or neither. */
interface Backing {
  name: string
  url: string | undefined
  /** Ends it. */
  end(): Promise<void>
  /** Resolves when a process that died was replaced, or at once. */
  settled(): Promise<void>
  server: ManagerServer | undefined
}

/**
 * A process that owns objects, which other processes use through proxies, on this machine and on
 * others: Python's `multiprocessing.Manager`.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const scores = await manager.dict({ ann: 1 })
 * await scores.set('bob', { n: 2 })
 * console.log(await scores.get('bob')) // { n: 2 }
 * await manager.close()
 * ```
 */
export class Manager implements AsyncDisposable {
  /** Its name in the domain, or its URL. */
  readonly name: string
  readonly #target: Target
  readonly #backing: Backing | undefined
  #connection: Promise<Connection> | undefined
  #isClosed = false

  /** @internal */
  private constructor(key: typeof MAKER, target: Target, backing?: Backing) {
    if (key !== MAKER)
      throw refused('make a manager with Manager.start, Manager.serve or Manager.connect, not with new')
    this.#target = target
    this.#backing = backing
    this.name = typeof target === 'string' ? target : target.url.origin
  }

  /**
   * Starts a manager in a process of its own, which ends with this one.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG, ERR_INVALID_NAME: an option is refused. ERR_EXISTS: a
   *   manager of that name runs. ERR_NOT_FOUND: there is no such module. ERR_PERMISSION: the
   *   directory of managers is another user's. ERR_OS: it can't listen
   * @throws what a module throws
   */
  static async start(options?: ManagerOptions): Promise<Manager> {
    const started = checkStart(options)
    const backing = new ManagerProcess(started, callerOf(Manager.start))
    await backing.ready
    return Manager.#connected(started.name, backing)
  }

  /**
   * Serves a manager in this process.
   *
   * @throws {CrossmemError} as `start`
   */
  static async serve(options?: ServeOptions): Promise<Manager> {
    const server = new ManagerServer(checkServe(options))
    await server.listen()
    server.keep(false)
    const backing = {
      name: server.name,
      url: server.url,
      server,
      end: () => server.close(),
      settled: async () => undefined,
    }
    return Manager.#connected(server.name, backing)
  }

  /**
   * Connects to a manager.
   *
   * @param address the name of a manager of this domain, or `wss://host:port` of one elsewhere
   * @throws {CrossmemError} ERR_NOT_FOUND: none is there. ERR_PERMISSION: it has another authkey.
   *   ERR_UNSUPPORTED: it is of another version. ERR_LIMIT: it has no room for another client.
   *   ERR_INVALID_ARG: an argument is refused. ERR_TIMEOUT: it doesn't answer
   */
  static async connect(address: string | URL, options?: ConnectOptions): Promise<Manager> {
    return Manager.#connected(targetOf(address, options))
  }

  static async #connected(target: Target, backing?: Backing): Promise<Manager> {
    const manager = new Manager(MAKER, target, backing)
    try {
      await manager.#connect()
    } catch (error) {
      await backing?.end()
      throw error
    }
    return manager
  }

  /**
   * Where other machines reach it; `undefined` if it doesn't listen for them, or isn't this
   * process's.
   */
  get url(): string | undefined {
    return this.#backing?.url
  }

  /**
   * Makes a dict.
   *
   * @param entries a Map, an object or pairs; default: none
   * @throws {CrossmemError} those that all methods have. ERR_PEER_DIED: the manager is gone.
   *   ERR_CLOSED: it was closed here. ERR_LIMIT: this process holds as many objects as it may.
   *   ERR_INVALID_ARG: an argument is refused, or can't be sent. ERR_TOO_LARGE: the call is too
   *   long
   */
  dict<Value>(entries: Record<string, Value>): Promise<ManagedDict<string, Value>>
  /** Makes a dict of the properties of an object. */
  dict<Key extends string, Value>(entries: Record<Key, Value>): Promise<ManagedDict<Key, Value>>
  /** Makes a dict of the entries of a Map, or of pairs. */
  dict<Key = unknown, Value = unknown>(
    entries?: Iterable<readonly [Key, Value]>,
  ): Promise<ManagedDict<Key, Value>>
  dict(entries?: object): Promise<ManagedDict> {
    return this.#make('Dict', to => [entriesToWire(to, entries)])
  }

  /**
   * Makes a list of the items of an array, or of what iterates.
   *
   * @throws {CrossmemError} as `dict`
   */
  list<Item = unknown>(items: Iterable<Item> = []): Promise<ManagedList<Item>> {
    return this.#make('List', to => [itemsToWire(to, items)])
  }

  /**
   * Makes a namespace of the properties of an object.
   *
   * @throws {CrossmemError} as `dict`
   */
  namespace<Value = unknown>(properties: Record<string, Value> = {}): Promise<ManagedNamespace<Value>> {
    return this.#make('Namespace', to => [entriesToWire(to, properties)])
  }

  /**
   * Makes numbers whose count stays.
   *
   * @throws {CrossmemError} as `dict`
   */
  array<Item = number>(items: Iterable<Item>): Promise<ManagedArray<Item>> {
    return this.#make('Array', to => [itemsToWire(to, items)])
  }

  /**
   * Makes one value.
   *
   * @throws {CrossmemError} as `dict`
   */
  value<Value = unknown>(value: Value): Promise<ManagedValue<Value>> {
    return this.#make('Value', to => [[toWire(to, value)]])
  }

  /**
   * Makes a lock.
   *
   * @throws {CrossmemError} as `dict`
   */
  lock(): Promise<ManagedLock> {
    return this.#make('Lock')
  }

  /**
   * Makes a lock that its holder may take again.
   *
   * @throws {CrossmemError} as `dict`
   */
  rlock(): Promise<ManagedLock> {
    return this.#make('RLock')
  }

  /**
   * Makes a condition variable with its lock.
   *
   * @throws {CrossmemError} as `dict`
   */
  condition(): Promise<ManagedCondition> {
    return this.#make('Condition')
  }

  /**
   * Makes a semaphore.
   *
   * @throws {CrossmemError} as `dict`
   */
  semaphore(permits = 1): Promise<ManagedSemaphore> {
    const count = checkCount('permits', permits, 0)
    return this.#make('Semaphore', () => [count, 2 ** 31 - 1])
  }

  /**
   * Makes a semaphore that never has more permits than at first.
   *
   * @throws {CrossmemError} as `dict`
   */
  boundedSemaphore(permits = 1): Promise<ManagedSemaphore> {
    const count = checkCount('permits', permits, 1)
    return this.#make('Semaphore', () => [count, count])
  }

  /**
   * Makes an event that isn't set.
   *
   * @throws {CrossmemError} as `dict`
   */
  event(): Promise<ManagedEvent> {
    return this.#make('Event')
  }

  /**
   * Makes a barrier for so many parties.
   *
   * @throws {CrossmemError} as `dict`
   */
  barrier(parties: number): Promise<ManagedBarrier> {
    checkCount('parties', parties, 1, 1_000_000)
    return this.#make('Barrier', () => [parties])
  }

  /**
   * Makes a queue.
   *
   * @throws {CrossmemError} as `dict`
   */
  queue<T = unknown>(options?: ManagedQueueOptions): Promise<ManagedQueue<T>> {
    const capacity = checkCapacity(options)
    return this.#make('Queue', () => [capacity])
  }

  /**
   * Makes a queue of tasks.
   *
   * @throws {CrossmemError} as `dict`
   */
  joinableQueue<T = unknown>(options?: ManagedQueueOptions): Promise<ManagedJoinableQueue<T>> {
    const capacity = checkCapacity(options)
    return this.#make('JoinableQueue', () => [capacity])
  }

  /**
   * Makes an object of a class that the manager's modules export, or that was registered; or gets
   * what such a function returns.
   *
   * @throws {CrossmemError} as `dict`. ERR_NOT_FOUND: no class of that name is registered
   * @throws what the constructor or the function throws
   */
  async create<T = Record<string, never>>(name: string, ...args: unknown[]): Promise<Remote<T>> {
    const connection = await this.#connect()
    return connection.wait(ROOT, 'create', [name, argumentsToWire(connection, args)], readObject) as Promise<
      Remote<T>
    >
  }

  /**
   * Registers a class, or a function that returns an object, of a manager that this process
   * serves.
   *
   * @throws {CrossmemError} ERR_UNSUPPORTED: another process serves it. ERR_EXISTS: the name is
   *   taken. ERR_INVALID_ARG: an argument is refused
   */
  register(name: string, maker: (new (...args: never[]) => object) | ((...args: never[]) => unknown)): void {
    if (typeof name !== 'string' || name === '')
      throw refused(`the name of a class is a text, not ${show(name)}`)
    if (typeof maker !== 'function') throw refused(`a class or a function is needed, not ${show(maker)}`)
    const server = this.#backing?.server
    if (!server) {
      throw new CrossmemError(
        'ERR_UNSUPPORTED',
        'a class runs where the manager does: export it from a module, and start the manager with { modules }',
      )
    }
    server.register(name, maker as Maker)
  }

  /**
   * Keeps an object alive under a name, by which other processes `get` it.
   *
   * @throws {CrossmemError} as `dict`. ERR_EXISTS: the name is taken. ERR_LOST: the object is gone
   */
  async publish(name: string, object: Managed): Promise<void> {
    checkPublished(name)
    const connection = await this.#connect()
    const wire = toWire(connection, object)
    const [id] = Array.isArray(wire) ? wire[1] : []
    if (id === undefined || !(object instanceof Managed))
      throw refused(`an object of this manager is needed, not ${show(object)}`)
    await connection.call(ROOT, 'publish', [name, id], nothing)
  }

  /**
   * Takes a name away. Resolves with whether it led to an object.
   *
   * @throws {CrossmemError} as `dict`
   */
  async unpublish(name: string): Promise<boolean> {
    checkPublished(name)
    return (await this.#connect()).call(ROOT, 'unpublish', [name], plain<boolean>)
  }

  /**
   * The object that was published under a name.
   *
   * @throws {CrossmemError} as `dict`. ERR_NOT_FOUND: nothing was
   */
  async get<Object extends Managed = Managed>(name: string): Promise<Object> {
    checkPublished(name)
    return (await this.#connect()).call(ROOT, 'get', [name], readObject) as Promise<Object>
  }

  /**
   * What the manager tells of itself.
   *
   * @throws {CrossmemError} as `dict`
   */
  async stats(): Promise<ManagerStats> {
    return (await this.#connect()).call(ROOT, 'stats', [], plain<ManagerStats>)
  }

  /** Resolves when the connection that there is now breaks. @internal */
  async broken(): Promise<void> {
    const connection = await this.#connect()
    await connection.closed
  }

  /** Whether this process started or serves it. @internal */
  get isOwn(): boolean {
    return this.#backing !== undefined && !this.#isClosed
  }

  /**
   * Ends the connection, and the manager itself if this process started or serves it. Calls of its
   * objects then fail: here with ERR_CLOSED, elsewhere with ERR_PEER_DIED. Calling it again does
   * nothing.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const connection = await this.#connection?.catch(() => undefined)
    connection?.close()
    await this.#backing?.end()
  }

  /** As `close`; `await using` calls this. */
  async [asyncDispose](): Promise<void> {
    await this.close()
  }

  async #make<T>(kind: string, args: (to: Connection) => unknown[] = () => []): Promise<T> {
    const connection = await this.#connect()
    return connection.call(ROOT, 'make', [kind, ...args(connection)], readObject) as Promise<T>
  }

  /** The connection; a new one if the last one broke. */
  async #connect(): Promise<Connection> {
    if (this.#isClosed) throw new CrossmemError('ERR_CLOSED', `the manager ${this.name} was closed`)
    const known = this.#connection
    if (known) {
      const connection = await known.catch(() => undefined)
      if (connection && !connection.isBroken) return connection
      if (this.#connection === known) this.#connection = undefined
    }
    this.#connection ??= this.#reach()
    return this.#connection
  }

  async #reach(): Promise<Connection> {
    await this.#backing?.settled()
    try {
      const connection = await Connection.open(this.#target)
      shareConnection(connection)
      return connection
    } catch (error) {
      if (!this.#backing) throw error
      throw new CrossmemError('ERR_PEER_DIED', `the manager ${this.name} is gone`, { cause: error })
    }
  }
}

const readObject: Read<Managed> = (result, arrivals) => proxyOf(result as WireObject, arrivals)

function checkCapacity(options: ManagedQueueOptions | undefined): number {
  return checkCount('capacity', checkOptions(options, QUEUE_OPTIONS).capacity ?? 1024, 1)
}

function checkPublished(name: unknown): void {
  if (typeof name !== 'string' || name === '')
    throw refused(`the name of an object is a text, not ${show(name)}`)
}

function targetOf(address: string | URL, options: ConnectOptions | undefined): Target {
  const text = String(address)
  if (/^wss?:/.test(text) && URL.canParse(text)) return checkConnect(new URL(text), options)
  if (options !== undefined) throw refused('options are for managers elsewhere: ws:// and wss://')
  return checkName(text)
}

/** A manager's process, started and, if it is wished, started anew. */
class ManagerProcess implements Backing {
  readonly name: string
  readonly server = undefined
  readonly #started: Started
  readonly #caller: string
  url: string | undefined
  ready: Promise<void>
  #process: Process | undefined
  #isEnding = false
  #hasServed = false
  #deaths = 0

  constructor(started: Started, caller: string) {
    this.name = started.name
    this.#started = started
    this.#caller = caller
    this.ready = this.#start()
  }

  async settled(): Promise<void> {
    await this.ready.catch(() => undefined)
  }

  async end(): Promise<void> {
    this.#isEnding = true
    await this.settled()
    const child = this.#process
    if (!child) return
    child.terminate()
    await child.join()
    await tidy()
  }

  async #start(): Promise<void> {
    const { modules, restart: _, process: how, ...served } = this.#started
    const [mine, theirs] = Pipe.create<Report>()
    const begun = Date.now()
    const child = Process.start(join(__dirname, 'serve-main.js'), {
      run: 'serve',
      args: [served, modules, this.#caller, theirs],
      daemon: true,
      name: `manager ${this.name}`,
      ...how,
    })
    theirs.close()
    this.#process = child
    void this.#watch(child, begun)
    try {
      const report = await mine.recv()
      if ('error' in report) throw decode(report.error)
      this.url = report.url
      this.#hasServed = true
    } catch (error) {
      if ((error as CrossmemError).code !== 'ERR_PEER_DIED' && (error as CrossmemError).code !== 'ERR_ENDED')
        throw error
      await child.join()
      throw new CrossmemError(
        'ERR_PEER_DIED',
        `the process of the manager ${this.name} ended before it served`,
        { cause: error },
      )
    } finally {
      mine.close()
    }
  }

  /** Starts it anew when it dies, and removes what it left. */
  async #watch(child: Process, begun: number): Promise<void> {
    await child.join({ unref: true })
    if (this.#isEnding) return
    await tidy()
    if (!this.#started.restart || !this.#hasServed) return
    this.#deaths = Date.now() - begun < SOON ? this.#deaths + 1 : 0
    if (this.#deaths >= MOST_DEATHS || this.#isEnding) return
    this.ready = this.#start()
    this.ready.catch(() => undefined)
  }
}
