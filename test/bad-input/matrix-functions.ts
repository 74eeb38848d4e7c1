/** Calls of functions of matrices that must fail. */
import { expm, matrixNorm, matrixPower, tensor, zeros } from 'tenfold';
import type { BadInputs } from './types.js';

const square = zeros([2, 2]);
const bytes = zeros([2, 2], { dtype: 'uint8' });

export const matrixFunctions: BadInputs = {
  matrixPower: [
    () => matrixPower([[1]] as never, 2),
    () => matrixPower(bytes, 2),
    // @ts-expect-error matrixPower: the last two axes are rows and columns of matrices
    () => matrixPower(tensor(1), 2),
    // @ts-expect-error matrixPower: the last two axes are rows and columns of matrices
    () => matrixPower(zeros([2]), 2),
    // @ts-expect-error matrixPower: the last two axes are 2 and 3, not square
    () => matrixPower(zeros([2, 3]), 2),
    () => matrixPower(square, 0.5),
    () => matrixPower(square, Number.NaN),
    () => matrixPower(square, Number.POSITIVE_INFINITY),
    () => matrixPower(square, '2' as never),
    () => matrixPower(square, null as never),
    () => matrixPower(square, tensor(2) as never),
    () => matrixPower(zeros([2, 2], { dtype: 'int32' }), -1),
    () => matrixPower(zeros([2, 2], { dtype: 'bool' }), -1),
    () => matrixPower(2)('x' as never),
  ],
  expm: [
    () => expm([[1]] as never),
    () => expm(2 as never),
    () => expm(null as never),
    () => expm(bytes),
    // @ts-expect-error expm: the last two axes are rows and columns of matrices
    () => expm(tensor(1)),
    // @ts-expect-error expm: the last two axes are rows and columns of matrices
    () => expm(zeros([2])),
    // @ts-expect-error expm: the last two axes are 2 and 3, not square
    () => expm(zeros([2, 3])),
    // @ts-expect-error expm: the last two axes are 0 and 2, not square
    () => expm(zeros([0, 2])),
  ],
  matrixNorm: [
    () => matrixNorm([[1]] as never),
    () => matrixNorm(bytes),
    // @ts-expect-error matrixNorm: the last two axes are rows and columns of matrices
    () => matrixNorm(tensor(1)),
    // @ts-expect-error matrixNorm: the last two axes are rows and columns of matrices
    () => matrixNorm(zeros([2])),
    () => matrixNorm(square, { ord: 3 as never }),
    () => matrixNorm(square, { ord: 0 as never }),
    () => matrixNorm(square, { ord: Number.NaN as never }),
    () => matrixNorm(square, { ord: '1' as never }),
    () => matrixNorm(square, { ord: null as never }),
    () => matrixNorm(square, { ord: tensor(1) as never }),
    () => matrixNorm(square, { keepDims: 1 as never }),
    () => matrixNorm(square, { axis: 1 } as never),
    () => matrixNorm(square, 1 as never),
    () => matrixNorm(zeros([3, 0]), { ord: 1 }),
    () => matrixNorm(zeros([0, 3]), { ord: Number.POSITIVE_INFINITY }),
    () => matrixNorm(zeros([0, 3]), { ord: 2 }),
    () => matrixNorm(zeros([3, 0]), { ord: -2 }),
    () => matrixNorm(square, { ord: 'nuclear' as never }),
  ],
};
