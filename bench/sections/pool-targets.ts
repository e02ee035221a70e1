import { type Table, type Target, times } from '../harness/section.js'
import { CROSSMEM, FORKS } from '../pools/kinds.js'
import type { PoolPeer } from '../pools/peers.js'

type Which = (peer: PoolPeer) => boolean

const moves: Which = ({ program: [, option] }) => option === 'move'
const copies: Which = peer => !moves(peer)
const ofProcesses: Which = ({ workers }) => workers === 'processes'
const ofThreads: Which = peer => !ofProcesses(peer) && copies(peer)

/** Targets of the section about pools, whose tables come in this order. */
export function poolTargets([nothing, map, pass, ready]: Table[], peers: PoolPeer[]): Target[] {
  const rivals = peers.filter(({ name, program }) => program[0] !== 'crossmem' && name !== FORKS)
  const speed = (what: string, table: Table | undefined, which: Which, atLeast: number): Target[] => {
    const names = rivals.filter(which).map(({ name }) => name)
    const rows = table?.rows.filter(({ name }) => names.includes(name)) ?? []
    const [fastest] = rows.sort((a, b) => a.median - b.median)
    // A machine may have none of them.
    return table && fastest ? [{ what, got: times(table, fastest.name, CROSSMEM), atLeast }] : []
  }
  return [
    ...speed("empty tasks: speed as a multiple of the fastest pool of processes'", nothing, ofProcesses, 3),
    ...speed("empty tasks: speed as a multiple of the fastest pool of threads'", nothing, ofThreads, 1),
    ...speed("squares: speed as a multiple of the fastest pool's", map, copies, 2),
    ...speed("64 MiB: speed as a multiple of the fastest pool of processes'", pass, ofProcesses, 20),
    ...speed("64 MiB: speed as a multiple of piscina's with move", pass, moves, 1),
    ...starts(ready),
  ]
}

const starts = (ready: Table | undefined): Target[] =>
  ready
    ? [
        {
          what: 'four workers: time as a multiple of that of four bare forks',
          got: times(ready, CROSSMEM, FORKS),
          atMost: 1.3,
        },
      ]
    : []
