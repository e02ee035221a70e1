import '../helpers/domain.js'
import type { ChildProcess } from 'node:child_process'
import ava, { type ExecutionContext } from 'ava'
import { gone, kill, message, start } from '../processes/children.js'
import { crossmem, type Diagnosis, json, type Listed } from '../processes/command.js'
import { hireUser, type User } from '../processes/users.js'

// Tests of the command line run one after the other, since they show what the whole domain has. The
// test's own process joins no domain, since joining sweeps.
export const test = ava.serial
export const testOnLinux = process.platform === 'linux' ? test : test.skip

export const domain = process.env.CROSSMEM_DOMAIN as string
export const file = (name: string): string => `/dev/shm/${name}`

/** The children of the test that runs now. */
const children: ChildProcess[] = []
const hired: User[] = []

/** Sees to it that a child doesn't outlive its test. */
export function track(child: ChildProcess): ChildProcess {
  children.push(child)
  return child
}

/** A child that does what it is told. */
export async function user(): Promise<User> {
  const started = await hireUser()
  hired.push(started)
  return started
}

/** A child that holds a new object. */
export async function hold(name: string, layout: object, env: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
  const before = process.env.CROSSMEM_DOMAIN
  Object.assign(process.env, env)
  const child = track(start('objects/hold-object', name, JSON.stringify(layout)))
  process.env.CROSSMEM_DOMAIN = before
  await message(child)
  return child
}

export async function leave(child: ChildProcess): Promise<void> {
  child.disconnect()
  await gone(child)
}

export const isClean = async (t: ExecutionContext): Promise<void> => {
  const { code, stdout, stderr } = await crossmem('doctor')
  t.is(stdout.trimEnd().split('\n').at(-1), 'clean')
  t.deepEqual({ code, stderr }, { code: 0, stderr: '' })
}

/** Every test of this file leaves neither processes nor objects. */
export function leaveNothing(): void {
  test.afterEach.always('nothing is left over', async t => {
    const alive = children.splice(0).filter(child => child.exitCode === null && child.signalCode === null)
    const atWork = hired.splice(0).filter(({ isGone }) => !isGone)
    if (!t.passed) {
      // One failure is enough: the next test finds the domain empty.
      await Promise.all([...alive.map(kill), ...atWork.map(one => one.kill())])
      const { data } = await json<{ objects: Listed[] }>('ls')
      for (const { name } of data.objects) await crossmem('rm', name)
      return
    }
    t.is(alive.length + atWork.length, 0)
    const { data } = await json<Diagnosis>('doctor')
    t.deepEqual({ control: data.control, objects: data.objects }, { control: null, objects: [] })
  })
}
