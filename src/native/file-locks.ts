import * as addon from './addon.js'
import { visitor } from './call.js'

/** Locks on files and on their bytes. They need no domain. */
export const nativeFileLocks = {
  openFileLock: visitor(addon.openFileLock),
  tryFileLock: visitor(addon.tryFileLock),
  releaseFileLock: visitor(addon.releaseFileLock),
  closeFileLock: visitor(addon.closeFileLock),
  forgetFileLock: visitor(addon.forgetFileLock),
}
