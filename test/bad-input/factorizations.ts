/** Calls of factorizations that must fail. */
import { qr, tensor, zeros } from 'tenfold';
import { type BadInputs, refused } from './types.js';

const x = zeros([2, 2]);

export const factorizations: BadInputs = {
  qr: refused(
    qr,
    [[[1]]],
    [2],
    [null],
    [tensor(1)],
    [zeros([3])],
    [zeros([2, 2], { dtype: 'uint8' })],
    [x, 'r'],
    [x, x],
    [x, { mode: 'full' }],
    [x, { mode: 1 }],
    [x, { mode: x }],
    [x, { kind: 'r' }],
  ),
};
