// First, so that a runtime that is too old is told why.
import './node-version.js'

export * from './cluster/index.js'
export { CrossmemError, type CrossmemErrorCode } from './errors.js'
