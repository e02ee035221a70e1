import { type Pair, startPair } from './pair.js'

/** A kind of queue, and how to start its two ends. */
export interface QueueKind {
  /** VERSION stands for what the ends say of themselves. */
  name: string
  does: string
  program: string[]
  /** Whether it sends several messages in one go. */
  batches: boolean
  /** What an end does while there is nothing for it. */
  waits: 'parked' | 'spinning'
}

export interface QueueKinds {
  kinds: QueueKind[]
  missing: string[]
}

/** One whose ends wait for orders. */
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

/** Starts them, and stops them after the use. Who isn't there is added to `missing`. */
export async function usingPeers<Result>(
  kinds: QueueKinds,
  missing: Set<string>,
  use: (peers: QueuePeer[]) => Promise<Result>,
): Promise<Result> {
  await using started = await startQueuePeers(kinds)
  for (const reason of started.missing) missing.add(reason)
  return await use(started.peers)
}
