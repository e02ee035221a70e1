import { move } from 'piscina'
import { pass } from '../tasks.js'

/** As `pass`, with the result in the transfer list. */
export default (array: Float64Array<ArrayBuffer>): unknown => move(pass(array) as Float64Array<ArrayBuffer>)
