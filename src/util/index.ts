export { bytesOf } from './bytes.js'
export { checkCount } from './checks.js'
export { show } from './show.js'
