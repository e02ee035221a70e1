import { isLinearizable, type Span, type Step } from './linearizable.js'

/** A call on a queue and its answer: `full` and `empty` are a push and a pop that were refused. */
export interface Operation extends Span {
  process: string
  what: 'push' | 'full' | 'pop' | 'empty'
  /** What was pushed or popped; a pop that never returned has none. */
  message?: number
}

export interface QueueTraits {
  capacity: number
  /**
   * Whether a message that a killed process has taken may come back, negative then, behind those
   * that are waiting.
   */
  redeliver?: boolean
}

interface State {
  messages: readonly number[]
  /** Those that killed processes have taken and that may come back. */
  taken: readonly number[]
}

/** Whether a bounded queue, first in first out, could have answered so. */
export const isQueueHistory = (history: readonly Operation[], queue: QueueTraits): boolean =>
  isLinearizable({ messages: [], taken: [] }, stepsOf(history, queue))

function stepsOf(history: readonly Operation[], { capacity, redeliver }: QueueTraits): Step<State>[] {
  const append = (messages: readonly number[], message: number, taken: readonly number[]): State[] =>
    messages.length < capacity ? [{ messages: [...messages, message], taken }] : []

  const push =
    (message: number): Step<State>['from'] =>
    ({ messages, taken }) =>
      append(messages, message, taken)

  const pop =
    (message: number | undefined): Step<State>['from'] =>
    ({ messages: [first, ...rest], taken }) =>
      first !== undefined && first === message ? [{ messages: rest, taken }] : []

  const empty: Step<State>['from'] = state => (state.messages.length === 0 ? [state] : [])

  /** A process inside another call, or one that died there, may hold the room. */
  const full = (refused: Operation): Step<State>['from'] => {
    const others = history.filter(other => other !== refused && overlap(other, refused)).length
    return state => (state.messages.length + others >= capacity ? [state] : [])
  }

  const takeAndDie: Step<State>['from'] = ({ messages: [first, ...rest], taken }) => {
    if (first === undefined) return []
    return [{ messages: rest, taken: redeliver ? [...taken, first] : taken }]
  }

  const bringBack: Step<State>['from'] = ({ messages, taken }) =>
    taken.flatMap((message, i) => append(messages, -Math.abs(message), taken.toSpliced(i, 1)))

  return history.flatMap((operation): Step<State>[] => {
    const { invoked, returned, what, message } = operation
    const step = (from: Step<State>['from']): Step<State> => ({ invoked, returned, from })
    if (what === 'push') return [step(push(message as number))]
    if (what === 'full') return [step(full(operation))]
    if (what === 'empty') return [step(empty)]
    if (returned < Infinity) return [step(pop(message))]
    return redeliver ? [step(takeAndDie), step(bringBack)] : [step(takeAndDie)]
  })
}

const overlap = (a: Span, b: Span): boolean => a.invoked <= b.returned && b.invoked <= a.returned
