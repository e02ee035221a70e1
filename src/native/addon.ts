// The only importer of the addon.

import './loading.js'

import addon = require('../../dist/addon/index.js')

export * from '../../dist/addon/index.js'

/**
 * The addon's exports: one object for each environment, however many copies of this package it has.
 */
export const binding: object = addon
