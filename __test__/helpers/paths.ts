import { join } from 'node:path'

// This file is compiled to `build/__test__/helpers`.

/** The project's folder. */
export const root = join(__dirname, '..', '..', '..')

/** A compiled program of the project, by its path in `build/`. */
export const compiled = (...path: string[]): string => join(root, 'build', ...path)

/** A compiled program of `fixtures/`, by its path there without an ending. */
export const fixture = (program: string): string => compiled('__test__', 'fixtures', `${program}.js`)
