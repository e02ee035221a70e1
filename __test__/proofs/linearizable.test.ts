import test from 'ava'
import { draw, read } from '../histories/drawing.js'
import { isQueueHistory, type QueueTraits } from '../histories/queue-model.js'

const one = { capacity: 1 }
const two = { capacity: 2 }
const redelivering = { capacity: 2, redeliver: true }

type Histories = Record<string, [QueueTraits, string]>

const possible: Histories = {
  'nothing happens': [one, ''],
  'one after the other': [
    two,
    `A [empty] [push 1] [push 2] [full]
     B                                  [pop 1] [pop 2] [empty]`,
  ],
  'two pushes at once, in either order': [
    two,
    `A [push 1]
     B   [push 2]
     C            [pop 2] [pop 1]`,
  ],
  'a message is taken while it is pushed': [
    one,
    `A [push 1       ]
     B    [pop 1]`,
  ],
  'empty while the first push is under way': [
    one,
    `A [push 1              ]
     B    [empty] [pop 1]`,
  ],
  'a pop takes effect late, and makes room late': [
    one,
    `A [push 1] [full]   [push 2]
     B          [pop 1        ]`,
  ],
  'full while somebody else has the room in hand': [
    two,
    `A [push 1]  [full]
     B         [push 2            ]
     C                   [pop 1]`,
  ],
  'full while somebody else gives the room back': [
    one,
    `A [push 1]      [full] [push 2]
     B          [pop 1   ]
     C                   [empty]`,
  ],
  'a killed push took effect': [
    two,
    `A [push 1 x
     B            [pop 1] [empty]`,
  ],
  'a killed push takes effect late': [
    two,
    `A [push 1 x
     B            [empty] [push 2] [pop 2] [pop 1]`,
  ],
  'a killed push never takes effect': [
    two,
    `A [push 1 x
     B            [push 2] [pop 2] [empty]`,
  ],
  'a killed pop took a message': [
    two,
    `A [push 1] [push 2] [pop x
     B                         [pop 2] [empty]`,
  ],
  'a killed pop took nothing': [
    two,
    `A [push 1] [push 2] [pop x
     B                         [pop 1] [pop 2] [empty]`,
  ],
  'a killed pop keeps its room': [
    one,
    `A [push 1] [pop x
     B                [empty] [full]`,
  ],
  'a killed pop takes what is pushed later': [
    two,
    `A [pop x
     B        [push 1] [empty]`,
  ],
  'a message comes back from a killed process': [
    redelivering,
    `A [push 1] [push 2] [pop x
     B                         [pop 2] [empty] [pop -1] [empty]`,
  ],
  'a message comes back twice': [
    redelivering,
    `A [push 1] [pop x
     B                [pop x
     C                       [pop -1] [empty]`,
  ],
  'a message does not come back': [
    redelivering,
    `A [push 1] [pop x
     B                [empty]`,
  ],
}

const impossible: Histories = {
  reordered: [
    two,
    `A [push 1] [push 2]
     B                   [pop 2] [pop 1]`,
  ],
  'taken by two in the wrong order': [
    two,
    `A [push 1] [push 2] [pop 2]
     B                           [pop 1]`,
  ],
  lost: [
    two,
    `A [push 1] [push 2]
     B                   [pop 2] [empty]`,
  ],
  duplicated: [
    two,
    `A [push 1] [pop 1]
     B            [pop 1]`,
  ],
  invented: [
    two,
    `A [push 1]
     B            [pop 3]`,
  ],
  'taken before it was there': [
    two,
    `A         [push 1]
     B [pop 1]`,
  ],
  'empty while it is not': [
    two,
    `A [push 1]         [pop 1]
     B          [empty]`,
  ],
  'empty while one comes and one goes': [
    two,
    `A [push 1]   [push 2]    [pop 2]
     B          [empty] [pop 1]`,
  ],
  'more than there is room for': [one, 'A [push 1] [push 2]'],
  'full while there is room, and nobody else': [two, 'A [push 1] [full]'],
  'full while there is more room than others can have in hand': [
    { capacity: 3 },
    `A [push 1] [full]
     B          [pop x`,
  ],
  'a refused push takes effect': [one, 'A [push 1] [full] [pop 1] [pop 2]'],
  'one killed push takes effect twice': [
    two,
    `A [push 1 x
     B            [pop 1] [pop 1]`,
  ],
  'a killed push takes effect before it began': [
    two,
    `A         [push 1 x
     B [pop 1]`,
  ],
  'one killed pop takes two': [
    two,
    `A [push 1] [push 2] [pop x
     B                         [empty]`,
  ],
  'a message comes back that nobody killed had taken': [
    redelivering,
    `A [push 1] [pop 1]
     B                  [pop -1]`,
  ],
  'a message comes back to its old place': [
    redelivering,
    `A [push 1] [push 2] [pop x
     B                         [pop -1] [pop 2]`,
  ],
  'a message comes back twice after one death': [
    redelivering,
    `A [push 1] [pop x
     B                [pop -1] [pop -1]`,
  ],
  'a message comes back where none does': [
    two,
    `A [push 1] [pop x
     B                [pop -1]`,
  ],
}

for (const [title, [queue, drawing]] of Object.entries(possible)) {
  test(`possible: ${title}`, t => t.true(isQueueHistory(read(drawing), queue)))
}

for (const [title, [queue, drawing]] of Object.entries(impossible)) {
  test(`impossible: ${title}`, t => t.false(isQueueHistory(read(drawing), queue)))
}

test('drawn and read again, a history is the same', t => {
  const drawing = [
    'A [push 1]         [pop -2]  [empty]',
    'B          [push -2        ]',
    'C           [full]            [pop x',
  ].join('\n')
  t.is(draw(read(drawing)), drawing)
})
