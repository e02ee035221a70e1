import { CrossmemError } from '../errors.js'

/** How deep a value may be nested. A value that fits the writer's stack must fit the reader's. */
export const DEEPEST = 1000

export const tooDeep = (): CrossmemError =>
  new CrossmemError(
    'ERR_INVALID_ARG',
    `the value is nested more than ${DEEPEST} levels deep; send it flatter`,
  )
