import { type ListItem, ShareableList, SharedMemory } from '../memory/index.js'
import { open } from '../open.js'
import { asyncDispose } from '../util/index.js'
import type { ManagedList } from './list.js'
import { Manager } from './manager.js'
import type { ManagerOptions } from './settings.js'
import { refused } from './values.js'

const MAKER = Symbol('SharedMemoryManager')

/** The list of what is kept is published under this name. */
const KEPT = 'crossmem.shared-memory'

type Memory = SharedMemory | ShareableList

/**
 * A process that keeps shared memory for others: Python's `SharedMemoryManager`. The memory that
 * was made with it goes with it, also when it is killed: then the processes that made it remove its
 * names. Processes that have it open can go on using it.
 *
 * @example
 * ```js
 * import { SharedMemory } from 'crossmem'
 * import { SharedMemoryManager } from 'crossmem/manager'
 *
 * const manager = await SharedMemoryManager.start()
 * const memory = await manager.sharedMemory(64)
 * const { name } = memory
 * memory.close()
 * console.log(SharedMemory.open(name).byteLength) // 64
 * await manager.close()
 * ```
 */
export class SharedMemoryManager implements AsyncDisposable {
  readonly #manager: Manager
  readonly #kept: ManagedList<Memory>
  /** The names of what this process made. */
  readonly #made = new Set<string>()

  /** @internal */
  private constructor(key: typeof MAKER, manager: Manager, kept: ManagedList<Memory>) {
    if (key !== MAKER) throw refused('make one with SharedMemoryManager.start or connect, not with new')
    this.#manager = manager
    this.#kept = kept
    void manager.broken().then(() => this.#remove(this.#made))
  }

  /**
   * Starts one in a process of its own, which ends with this one.
   *
   * @throws {CrossmemError} as `Manager.start`
   */
  static async start(options?: Pick<ManagerOptions, 'name'>): Promise<SharedMemoryManager> {
    const manager = await Manager.start(options)
    const kept = await manager.list<Memory>()
    await manager.publish(KEPT, kept)
    return new SharedMemoryManager(MAKER, manager, kept)
  }

  /**
   * Connects to one by its name.
   *
   * @throws {CrossmemError} as `Manager.connect`. ERR_NOT_FOUND: it is a manager of other things
   */
  static async connect(name: string): Promise<SharedMemoryManager> {
    const manager = await Manager.connect(name)
    return new SharedMemoryManager(MAKER, manager, await manager.get<ManagedList<Memory>>(KEPT))
  }

  /** Its name in the domain. */
  get name(): string {
    return this.#manager.name
  }

  /**
   * Makes shared memory of so many bytes.
   *
   * @throws {CrossmemError} as `SharedMemory.create`. ERR_PEER_DIED: the manager is gone
   */
  sharedMemory(byteLength: number): Promise<SharedMemory> {
    return this.#keep(SharedMemory.create(null, byteLength))
  }

  /**
   * Makes a ShareableList.
   *
   * @throws {CrossmemError} as `ShareableList.create`. ERR_PEER_DIED: the manager is gone
   */
  shareableList(items: Iterable<ListItem>): Promise<ShareableList> {
    return this.#keep(ShareableList.create(null, items))
  }

  /**
   * Removes what was made with it, and ends it; one that was connected to is only left. Calling it
   * again does nothing.
   */
  async close(): Promise<void> {
    if (this.#manager.isOwn) {
      const kept = await this.#kept.toArray().catch(() => [])
      this.#remove(kept.map(({ name }) => name))
      for (const memory of kept) memory.close()
    }
    this.#made.clear()
    await this.#manager.close()
  }

  /** As `close`; `await using` calls this. */
  async [asyncDispose](): Promise<void> {
    await this.close()
  }

  async #keep<Made extends Memory>(made: Made): Promise<Made> {
    try {
      await this.#kept.push(made)
      this.#made.add(made.name)
      return made
    } catch (error) {
      made.close()
      throw error
    }
  }

  #remove(names: Iterable<string>): void {
    for (const name of names) {
      try {
        using memory = open(name) as Memory
        memory.unlink()
      } catch {
        // Its last user has closed it.
      }
    }
  }
}
