// `node scripts/test-addon.mjs [FILE…]`: the TypeScript tests with the addon that lies in
// dist/addon, wherever it was built. Needs no Rust: for continuous integration, where one machine
// builds the addon and others test it.
import { run } from './setup.mjs'

run('npm', 'install', '--no-save', '--no-audit', '--no-fund')
run('npm', 'run', '--silent', 'build:ts')
run('npx', 'ava', ...process.argv.slice(2))
