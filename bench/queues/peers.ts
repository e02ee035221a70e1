import { type Pair, startPair } from './pair.js'

/** A kind of queue, and how to start its two ends. */
export interface QueueKind {
  /** VERSION stands for the version that the program reports. */
  name: string
  does: string
  program: string[]
  /** Whether one call can send several messages. */
  batches: boolean
  /** What an end does while it waits. */
  waits: 'parked' | 'spinning'
}

export interface QueueKinds {
  kinds: QueueKind[]
  missing: string[]
}

/** A kind of queue whose ends were started, and wait for orders. */
export type QueuePeer = QueueKind & { pair: Pair }

export interface QueuePeers extends AsyncDisposable {
  peers: QueuePeer[]
  missing: string[]
}

export async function startQueuePeers({ kinds, missing }: QueueKinds): Promise<QueuePeers> {
  const pairs = await Promise.all(kinds.map(({ program }) => startPair(program)))
  const started = kinds.map((kind, i) => ({ ...kind, pair: pairs[i] as (typeof pairs)[0] }))
  const peers = started.flatMap(({ pair, ...kind }) =>
    'missing' in pair ? [] : { ...kind, name: kind.name.replace('VERSION', pair.version), pair },
  )
  const failed = started.flatMap(({ pair }) => ('missing' in pair ? pair.missing : []))
  return {
    peers,
    missing: [...missing, ...failed],
    async [Symbol.asyncDispose]() {
      await Promise.all(peers.map(({ pair }) => pair.stop()))
    },
  }
}

/** Starts the peers, and stops them after `use`. Adds the reasons of missing peers to `missing`. */
export async function usingPeers<Result>(
  kinds: QueueKinds,
  missing: Set<string>,
  use: (peers: QueuePeer[]) => Promise<Result>,
): Promise<Result> {
  await using started = await startQueuePeers(kinds)
  for (const reason of started.missing) missing.add(reason)
  return await use(started.peers)
}
