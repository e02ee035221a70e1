import type { Below } from '../helpers/random.js'

type Calls = Record<string, (argument: unknown, options?: object) => unknown>

/** The first words of the methods that put in and take out, by kind. */
const verbs: Record<string, readonly [put: string, take: string]> = {
  MpmcQueue: ['push', 'pop'],
  SpscQueue: ['push', 'pop'],
  Queue: ['put', 'get'],
  JoinableQueue: ['put', 'get'],
  Pipe: ['send', 'recv'],
}

/**
 * Every way that an object has to do one thing; of those that wait, where it matters, only one
 * kind.
 */
function waysTo(verb: string, object: object, isSync: boolean | undefined): string[] {
  const tryTo = `try${verb.charAt(0).toUpperCase()}${verb.slice(1)}`
  const all = [verb, `${verb}Sync`, tryTo, `${verb}Many`, `${verb}ManySync`, `${tryTo}Many`]
  return all.filter(way => {
    const fits = isSync === undefined || way.startsWith('try') || way.endsWith('Sync') === isSync
    return fits && way in object
  })
}

interface Handle {
  readonly crossmem: string
}

/** Puts values in, each time in another way. */
export class Putting {
  readonly #object: Calls
  readonly #ways: string[]
  readonly #below: Below

  constructor(object: Handle, below: Below, isSync?: boolean) {
    this.#object = object as unknown as Calls
    this.#ways = waysTo(verbs[object.crossmem]?.[0] as string, object, isSync)
    this.#below = below
  }

  /**
   * Puts in the first of these values, or all of them, or as many as there is room for; how many.
   */
  async put(values: readonly unknown[]): Promise<number> {
    const way = this.#ways[this.#below(this.#ways.length)] as string
    const isMany = way.includes('Many')
    const done = await this.#object[way]?.(isMany ? values : values[0])
    if (way.startsWith('try')) return Number(done)
    return isMany ? values.length : 1
  }

  async putAll(values: readonly unknown[]): Promise<void> {
    for (let done = 0; done < values.length; ) done += await this.put(values.slice(done))
  }
}

/** Takes values out, each time in another way. */
export class Taking {
  readonly #object: Calls
  readonly #ways: string[]
  readonly #below: Below

  constructor(object: Handle, below: Below, isSync?: boolean) {
    this.#object = object as unknown as Calls
    this.#ways = waysTo(verbs[object.crossmem]?.[1] as string, object, isSync)
    this.#below = below
  }

  /** None, one or at most so many. */
  async take(most: number): Promise<unknown[]> {
    const way = this.#ways[this.#below(this.#ways.length)] as string
    const isMany = way.includes('Many')
    const taken = await this.#object[way]?.(isMany ? most : undefined)
    if (isMany) return taken as unknown[]
    return taken === undefined ? [] : [taken]
  }
}
