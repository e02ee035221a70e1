import { CrossmemError, hasCode } from '../errors.js'
import { checkBoolean, checkCount, checkOptions, type OptionNames, show } from '../util/index.js'
import { Segment } from './segment.js'

/** Options of every `create` and `openOrCreate`. */
export interface CreateOptions {
  /**
   * Whether the object stays when no living process has it open, until `unlink()` or a restart.
   * Default: false.
   */
  persist?: boolean
  /**
   * Who may use the object, as permission bits: `0o600` (its user), `0o660` (its group too) or
   * `0o666` (all users). Opening needs the permission to read and to write, so others are
   * ERR_INVALID_ARG. On Linux only; elsewhere ERR_UNSUPPORTED, but for `0o600`. Default: `0o600`;
   * `0o660` in a domain of a group, or with `group`.
   *
   * In a domain of one user, only a SharedMemory, a ShareableList or an NDArray can be for others,
   * as plain memory: locks and queues work among the processes of their domain.
   */
  mode?: number
  /**
   * The group of the object, by name or number. On Linux only; elsewhere ERR_UNSUPPORTED. If the
   * process isn't a member: ERR_PERMISSION. If there is no such group: ERR_INVALID_ARG. Default:
   * the group of the domain, or of the process.
   */
  group?: string | number
  /**
   * Whether the memory is made of huge pages, as far as the system has any free: it is then
   * written and read faster, if it is large. On Linux 5.14 or later, where `/dev/shm` is mounted
   * with `huge=advise`, `within_size` or `always`; elsewhere ERR_UNSUPPORTED. Default: false: as
   * the mount has it.
   */
  hugePages?: boolean
}

/** The names of the options of every `create`. A class that has more adds its own. */
export const CREATE_OPTIONS: OptionNames<CreateOptions> = {
  persist: true,
  mode: true,
  group: true,
  hugePages: true,
}

/** The options of a class that has no more than these, checked. */
export const createOptions = (options: CreateOptions | undefined): CreateOptions =>
  checkOptions(options, CREATE_OPTIONS)

/** Refuses `new` by callers: it would open nothing. */
export function checkMaker(segment: unknown, kind: string): asserts segment is Segment {
  if (segment instanceof Segment) return
  throw new CrossmemError('ERR_INVALID_ARG', `make one with ${kind}.create, .open or open(), not with new`)
}

/**
 * The values of the options of every `create`, checked; the addon checks whether there is such a
 * group. The caller has checked the names.
 */
export function checkCreateOptions({
  persist = false,
  mode,
  group,
  hugePages = false,
}: CreateOptions = {}): Required<Pick<CreateOptions, 'persist' | 'hugePages'>> & {
  mode?: number
  group?: string
} {
  checkBoolean('persist', persist)
  checkBoolean('hugePages', hugePages)
  if (mode !== undefined) checkCount('mode', mode, 0, 0o7777)
  if (group === undefined) return { persist, mode, hugePages }
  if (typeof group === 'number') checkCount('group', group, 0, 2 ** 32 - 2)
  else if (typeof group !== 'string' || group === '') {
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      `group is the name or the number of a group, not ${show(group)}`,
    )
  }
  return { persist, mode, group: String(group), hugePages }
}

/** The bytes that follow an object's fields: zeros, unless there are contents. */
export interface ObjectData {
  byteLength: number
  contents?: Uint8Array
}

/** Makes the segment of an object that is more than bytes. */
export function createObject(
  kind: string,
  name: string | null,
  options: CreateOptions | undefined,
  params: number[],
  { byteLength, contents }: ObjectData = { byteLength: 0 },
): Segment {
  return Segment.create({
    name: name ?? undefined,
    kind,
    byteLength,
    ...checkCreateOptions(options),
    contents,
    contentsLength: contents?.byteLength,
    params,
  })
}

/**
 * Opens an object if it exists, else creates it. If another process creates or removes it between
 * the two steps, both are repeated. The caller has checked its own arguments: they are refused
 * whichever process comes first.
 */
export function openOrCreate<T>(options: CreateOptions | undefined, open: () => T, create: () => T): T {
  checkCreateOptions(options)
  for (;;) {
    try {
      return open()
    } catch (error) {
      if (!hasCode(error, 'ERR_NOT_FOUND')) throw error
    }
    try {
      return create()
    } catch (error) {
      if (!hasCode(error, 'ERR_EXISTS')) throw error
    }
  }
}

/**
 * Closes an object that `openOrCreate` found with other properties than asked for. Returns the
 * error to throw.
 */
export function existsAs(found: { name: string; close(): void }, as: string): CrossmemError {
  found.close()
  return new CrossmemError('ERR_INVALID_ARG', `"${found.name}" exists ${as}; open() takes it as it is`)
}
