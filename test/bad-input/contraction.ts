/** Products that sum over axes. */
import { einsum, kron, multiDot, tensor, tensordot, zeros } from 'tenfold';
import { type BadInputs, refused } from './types.js';

const x = zeros([2, 3]);
const bytes = zeros([2, 3], { dtype: 'uint8' });
const [signed, unsigned] = [zeros([3, 3], { dtype: 'int32' }), zeros([3, 3], { dtype: 'uint32' })];

export const contraction: BadInputs = {
  einsum: refused(
    einsum,
    [],
    [x, 'ij'],
    ['ij,jk->ik', x],
    ['ij,jk->ik', x, x],
    ['ij,jk->ik', x, [[1]]],
    ['ij->k', x],
    ['ij->ii', x],
    ['i->i', x],
    ['ijk', x],
    ['ii', x],
    ['i j k l', x],
    ['ij.', x],
    ['i1', x],
    ['ij->->', x],
    ['ij', 2],
    ['ij', null],
    ['ij', bytes],
    ['ij,jk', signed, unsigned],
  ),
  tensordot: refused(
    tensordot,
    [x, x, 1],
    [x, x, 3],
    [x, x, -1],
    [x, x, 0.5],
    [x, x, Number.NaN],
    [x, x, '1'],
    [x, x, null],
    [x, x, {}],
    [x, x, [[2], [0]]],
    [x, x, [[0], [0.5]]],
    [
      x,
      x,
      [
        [0, 0],
        [0, 1],
      ],
    ],
    [x, x, [[0], [0, 1]]],
    [x, x, [0]],
    [x, x, x],
    [[1], x, 1],
    [x, [1], 1],
    [bytes, x],
    [signed, unsigned],
  ),
  kron: refused(kron, [x, 2], [x, [1]], [null, x], [bytes, x], [signed, unsigned]),
  multiDot: refused(
    multiDot,
    [],
    [[]],
    [x],
    [[x, x]],
    [[x, 1]],
    [[x, tensor(1)]],
    [[tensor([1])]],
    [[zeros([2, 3, 4])]],
    [[bytes]],
    [[signed, unsigned]],
  ),
};
