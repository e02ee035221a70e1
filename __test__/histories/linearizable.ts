/** When a call was under way. `returned` is Infinity if its process was killed inside. */
export interface Span {
  invoked: number
  returned: number
}

/**
 * A call, and what it makes of a state: the states that it may lead to, or none where its answer
 * would be wrong.
 */
export interface Step<State> extends Span {
  from(state: State): State[]
}

/**
 * Whether there is an order of the steps in which each takes effect between its invocation and its
 * return. One that never returned may have taken effect at any time since its invocation, or not at
 * all.
 *
 * Wing and Gong's search, which doesn't visit the same state twice after the same set of steps, as
 * Lowe and Porcupine do. A recursion per step: for short histories.
 */
export function isLinearizable<State>(initial: State, steps: readonly Step<State>[]): boolean {
  const isDone = steps.map(() => 0)
  const seen = new Set<string>()

  const search = (state: State): boolean => {
    const firstReturn = steps.reduce(
      (first, { returned }, i) => (isDone[i] ? first : Math.min(first, returned)),
      Infinity,
    )
    if (firstReturn === Infinity) return true
    const place = `${isDone.join('')} ${JSON.stringify(state)}`
    if (seen.has(place)) return false
    seen.add(place)
    return steps.some((step, i) => {
      if (isDone[i] || step.invoked > firstReturn) return false
      isDone[i] = 1
      if (step.from(state).some(search)) return true
      isDone[i] = 0
      return false
    })
  }
  return search(initial)
}
