export { CrossmemError, type CrossmemErrorCode } from './errors.js'
