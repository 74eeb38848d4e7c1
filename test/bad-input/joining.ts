/** Bad calls of what joins, cuts and repeats. */
import { chunk, repeat, tensor, unstack, zeros } from 'tenfold';
import type { BadInputs } from './types.js';

const matrix = zeros([2, 3]);

const misspelt = { axess: 0 } as never;

export const joining: BadInputs = {
  repeat: [
    // @ts-expect-error repeat: 1 counts are given for the length 2 of axis 0
    () => repeat(matrix, [1]),
    () => repeat(matrix, [1, NaN]),
    // @ts-expect-error repeat: 2 counts are given for the length 3 of axis 1
    () => repeat(matrix, [1, 2], { axis: 1 }),
    () => repeat(matrix, tensor([1, 2]) as never),
  ],
  chunk: [
    () => chunk([1, 2] as never, 2),
    () => chunk(matrix, 0),
    () => chunk(matrix, 1.5),
    () => chunk(matrix, [1, 1] as never),
    // @ts-expect-error chunk: axis 2 is out of range for rank 2
    () => chunk(matrix, 2, { axis: 2 }),
    () => chunk(matrix, 2, misspelt),
    // @ts-expect-error chunk: axis 0 is out of range for rank 0
    () => chunk(tensor(1), 1),
  ],
  unstack: [
    () => unstack([1] as never),
    // @ts-expect-error unstack: axis 0 is out of range for rank 0
    () => unstack(tensor(1)),
    // @ts-expect-error unstack: axis 2 is out of range for rank 2
    () => unstack(matrix, { axis: 2 }),
    // @ts-expect-error unstack: axis 0.5 is out of range for rank 2
    () => unstack(matrix, { axis: 0.5 }),
    () => unstack(matrix, misspelt),
    () => unstack(matrix, 1 as never),
  ],
};
