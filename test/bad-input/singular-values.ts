/** Calls of functions of singular values that must fail. */
import { conditionNumber, lstsq, matrixRank, pinv, svd, svdvals, tensor, zeros } from 'tenfold';
import { type BadInputs, refused } from './types.js';

type Any = (...args: readonly unknown[]) => unknown;

const x = zeros([2, 2]);

const bytes = zeros([2, 2], { dtype: 'uint8' });

/** What no function of matrices takes. */
const refusedMatrix = (f: unknown): BadInputs[string] =>
  refused(f, [[[1]]], [2], [null], [tensor(1)], [zeros([3])], [bytes]);

/** What is no number of an option, or below 0. */
const refusedNumber = (f: Any, name: string): BadInputs[string] =>
  ['1', null, -1, Number.NaN, tensor(1)].map(value => () => f({ [name]: value }));

export const singularValues: BadInputs = {
  svd: [
    ...refusedMatrix(svd),
    ...refused(
      svd,
      [x, true],
      [x, x],
      [x, { fullMatrices: 1 }],
      [x, { fullMatrices: 'full' }],
      [x, { fullMatrices: x }],
      [x, { full_matrices: true }],
    ),
    () => (svd({ fullMatrices: true }) as Any)([[1]]),
  ],
  svdvals: refusedMatrix(svdvals),
  conditionNumber: [
    ...refusedMatrix(conditionNumber),
    ...refused(
      conditionNumber,
      [x, 2],
      [x, { ord: 3 }],
      [x, { ord: 0 }],
      [x, { ord: '2' }],
      [x, { ord: null }],
      [x, { ord: tensor(2) }],
      [x, { p: 2 }],
      [zeros([2, 3]), { ord: 'fro' }],
      [zeros([2, 3]), { ord: 1 }],
      [zeros([0, 0])],
      [zeros([2, 0])],
      [zeros([0, 0]), { ord: 'nuc' }],
    ),
  ],
  matrixRank: [
    ...refusedMatrix(matrixRank),
    ...refusedNumber(options => matrixRank(x, options as never), 'tol'),
    ...refusedNumber(options => matrixRank(x, options as never), 'rtol'),
    ...refused(matrixRank, [x, 0.1], [x, { tol: 0.1, rtol: 0.1 }], [x, { rcond: 0.1 }]),
  ],
  pinv: [
    ...refusedMatrix(pinv),
    ...refusedNumber(options => pinv(x, options as never), 'rcond'),
    ...refused(pinv, [x, 0.1], [x, { rtol: 0.1 }]),
  ],
  lstsq: [
    ...refusedNumber(options => lstsq(x, x, options as never), 'rcond'),
    ...refused(
      lstsq,
      [[[1]], x],
      [x, [1, 2]],
      [x, 2],
      [x, null],
      [x, bytes],
      [bytes, x],
      [zeros([2]), zeros([2])],
      [x, tensor(1)],
      [x, zeros([3])],
      [zeros([3, 2]), zeros([2])],
      [zeros([3, 2]), zeros([2, 3])],
      [zeros([2, 2, 2]), zeros([3, 2, 2])],
      [x, x, 0.1],
      [x, x, { rtol: 0.1 }],
    ),
    () => (lstsq(x) as Any)('x'),
  ],
};
