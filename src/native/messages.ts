import { raw2, raw3 } from './raw.js'

/** Messages of queues, by raw calls: their bytes go over the pad. */
export const nativeMessages = {
  pushMessage: raw3('pushMessage'),
  popMessage: raw2('popMessage'),
  pushMessages: raw2('pushMessages'),
  popMessages: raw2('popMessages'),
  reserveMessage: raw2('reserveMessage'),
  commitMessage: raw3('commitMessage'),
  cancelMessage: raw2('cancelMessage'),
  takeMessage: raw2('takeMessage'),
  freeMessage: raw2('freeMessage'),
  putMessageBack: raw2('putMessageBack'),
  abandonMessage: raw2('abandonMessage'),
}
