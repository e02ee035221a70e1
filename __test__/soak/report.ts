import { title } from '../storm/streams.js'
import { lanes } from './lanes.js'
import type { Soak } from './soak.js'
import type { Measure } from './watch.js'

const MEGABYTE = 2 ** 20

/** A soak in words and tables. Everything in them was counted. */
export class Report {
  readonly #soak: Soak
  #before = { elapsed: 0, operations: 0 }

  constructor(soak: Soak) {
    this.#soak = soak
  }

  /** One line: how it goes. */
  line(): string {
    const { elapsed, operations, told, files, mortals, board } = this.#soak
    const { killed, stopped, ended } = mortals.toll
    const rate = (1000 * (operations - this.#before.operations)) / (elapsed - this.#before.elapsed)
    this.#before = { elapsed, operations }
    const sizes = this.#now('memory').map(size => Math.round(size / MEGABYTE))
    return [
      `${seconds(elapsed)}: ${killed} killed, ${stopped} stopped, ${board.terminated + ended} torn down`,
      `${rate.toFixed(0)} operations/s, ${told} deaths told`,
      `RSS ${sizes.join(' ')} MiB, ${this.#now('descriptors').join(' ')} descriptors`,
      `${this.#now('mappings').join(' ')} mappings, ${this.#now('threads').join(' ')} threads`,
      `at most ${files.most} files`,
    ].join('; ')
  }

  /** What became of every kind. */
  table(): string {
    const kinds = [...new Set(lanes.map(({ kind }) => kind))]
    const heads = [
      'kind',
      'operations',
      'killed at it',
      'deaths told',
      'sent',
      'lost',
      'again',
      'held',
      'longest ms',
    ]
    const rows = kinds.map(kind => this.#row(kind))
    const widths = heads.map((head, i) =>
      Math.max(head.length, ...rows.map(row => (row[i] as string).length)),
    )
    const line = (cells: readonly string[]) =>
      cells
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
        .join('  ')
    return [line(heads), ...rows.map(line), ...this.#growths()].join('\n')
  }

  /** One sentence about the whole. */
  sentence(): string {
    const { elapsed, operations, told, mortals, board, violations } = this.#soak
    const { killed, stopped, ended } = mortals.toll
    const every =
      killed > 0
        ? ` (one every ${(elapsed / killed).toFixed(0)} ms, median ${mortals.interval.toFixed(0)} ms)`
        : ''
    const end = violations.length > 0 ? 'and this FAILED' : 'and all that was looked at was as promised'
    return (
      `In ${seconds(elapsed)} ${killed} processes were killed${every}, ${stopped} stopped, ${ended} ended by themselves and ` +
      `${board.terminated} threads were torn down, in the midst of ${operations} operations; ${told} deaths were told, ${end}.`
    )
  }

  #row(kind: string): string[] {
    const { board, mortals, accounts } = this.#soak
    const own = lanes.filter(lane => lane.kind === kind).map(({ number }) => number)
    const sum = (counts: ArrayLike<number>) =>
      String(own.reduce((sum, lane) => sum + (counts[lane] as number), 0))
    const account = accounts.find(({ stream }) => title(stream) === kind)
    const { put, lost, again, inHands } = account ?? {}
    return [
      kind,
      sum(board.operations),
      sum(mortals.toll.atWork),
      sum(board.told),
      ...[put, lost, again, inHands].map(count => (count === undefined ? '' : String(count))),
      Math.max(...own.map(lane => this.#soak.longest(lane))).toFixed(0),
    ]
  }

  #now(name: Measure): number[] {
    return this.#soak.watches.map(({ last }) => last?.[name] ?? Number.NaN)
  }

  #growths(): string[] {
    return this.#soak.watches.map(({ title, growth }) => {
      if (!growth) return `${title}: not watched for long enough to say whether it grows`
      const { memory, descriptors, mappings, threads } = growth
      return (
        `${title}: ${(memory / MEGABYTE).toFixed(1)} MiB, ${descriptors} descriptors, ${mappings} mappings and ` +
        `${threads} threads more in the last third of the time than in the first`
      )
    })
  }
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(0)} s`
