import type { openManaged } from './manager/index.js'
import { defineManaged } from './open.js'

// A program that uses no manager loads nothing of it, until a reference to an object of one comes.

defineManaged(name => {
  const manager = require('./manager/index.js') as { openManaged: typeof openManaged }
  return manager.openManaged(name)
})
