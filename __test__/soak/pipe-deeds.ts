import { setTimeout as pause } from 'node:timers/promises'
import { open, Pipe, type PipeReference, Queue } from 'crossmem'
import { PIPE_BYTES, sentence } from '../storm/pipe.js'
import { type Actor, type Deed, PATIENCE } from './actor.js'
import type { Lane } from './lanes.js'

/** Sentences of a conversation, at most. */
const SENTENCES = 8

/** What a speaker puts into the queue for its listener. */
interface Invitation {
  pipe: PipeReference
  conversation: number
}

const wait = { timeout: PATIENCE }

/** Makes a pipe, gives one end to a listener, speaks into it, and is answered. */
export class SpeakingDeed implements Deed {
  readonly #actor: Actor
  readonly #invitations: Queue

  constructor(actor: Actor, lane: Lane) {
    this.#actor = actor
    this.#invitations = Queue.open(actor.objectsOf(lane)[0] as string)
  }

  async turn(): Promise<number> {
    const { below, board, life } = this.#actor
    const conversation = board.newConversation()
    const name = `${life.word}-pipe-${conversation}`
    const [ours, theirs] = Pipe.create<string>({ capacity: PIPE_BYTES, name })
    const said = board.said(conversation)
    await this.#invitations.put({ pipe: theirs, conversation }, wait)
    for (let number = 1 + below(SENTENCES); number > 0; number--) {
      const next: number = (said[0] as number) + 1
      await ours.send(sentence(next), wait)
      said[0] = next
      const answer = await ours.recv(wait)
      if (answer !== sentence(next)) throw new Error(`"${answer}" is no answer to number ${next}`)
      await pause(below(4))
    }
    ours.close()
    theirs.close()
    return 1
  }

  close(): void {
    this.#invitations.close()
  }
}

/** Accepts invitations, and repeats what it hears. */
export class HearingDeed implements Deed {
  readonly endsWithQueue = true
  readonly #actor: Actor
  readonly #lane: Lane
  readonly #invitations: Queue

  constructor(actor: Actor, lane: Lane) {
    this.#actor = actor
    this.#lane = lane
    this.#invitations = Queue.open(actor.objectsOf(lane)[0] as string)
  }

  async turn(): Promise<number> {
    const { pipe, conversation } = (await this.#invitations.get()) as Invitation
    using end = this.#accept(pipe)
    if (!end) return 1
    const heard = await this.#hear(end)
    const said = this.#actor.board.said(conversation)[0] as number
    // A speaker that dies between a word and its note has said the word.
    if (heard !== said && heard !== said + 1) this.#report(`${said} were said, and ${heard} heard`)
    return 1
  }

  /** Until its maker dies, both ends are its maker's. */
  #accept(pipe: PipeReference): Pipe<string> | undefined {
    try {
      return open(pipe) as Pipe<string>
    } catch (error) {
      if (!isOfTheDead(error)) throw error
      this.#actor.told(this.#lane)
      return undefined
    }
  }

  /** How many sentences came, each whole and in its turn. */
  async #hear(end: Pipe<string>): Promise<number> {
    for (let heard = 0; ; heard++) {
      try {
        const words = await end.recv(wait)
        if (words !== sentence(heard + 1)) this.#report(`heard "${words}" after number ${heard}`)
        // A speaker that is gone needs no answer.
        await end.send(words, wait).catch(() => undefined)
      } catch (error) {
        if (isOfTheDead(error)) this.#actor.told(this.#lane)
        else if ((error as { code?: string }).code !== 'ERR_ENDED') throw error
        return heard
      }
    }
  }

  close(): void {
    this.#invitations.close()
  }

  #report(what: string): void {
    this.#actor.report(this.#lane, what)
  }
}

/** A process that is killed or ends takes along the objects that no other process has open. */
const isOfTheDead = (error: unknown): boolean =>
  ['ERR_PEER_DIED', 'ERR_NOT_FOUND'].includes((error as { code?: string }).code ?? '')
