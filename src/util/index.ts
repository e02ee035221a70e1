export { bytesOf } from './bytes.js'
export { checkBoolean, checkCount } from './checks.js'
export { show } from './show.js'
export { STAYS, stays } from './stays.js'
