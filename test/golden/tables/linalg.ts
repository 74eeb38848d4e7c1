/** Order, distances, decompositions and norms of matrices as PyTorch has them. */
import {
  add,
  argmax,
  argmin,
  argsort,
  cholesky,
  cumargmax,
  cumargmin,
  cummax,
  cummin,
  det,
  eigvalsh,
  expandDims,
  expm,
  eye,
  inv,
  matmul,
  matrixNorm,
  matrixPower,
  median,
  mul,
  qr,
  slogdet,
  solve,
  sort,
  squeeze,
  svdvals,
  swapAxes,
  type Tensor,
  takeAlong,
  topK,
  triangularSolve,
  unique,
} from 'tenfold';
import type { Args, Inputs, Operation, Operations } from '../operations.js';
import { booleanOf, numberOf, stringOf } from '../read.js';
import { distances } from './losses.js';

type AlongAxis = (x: Tensor, options: { readonly axis: number }) => Tensor;

const orderOf = ({ axis, descending }: Args) => ({ axis: numberOf(axis), descending: booleanOf(descending) });

const running =
  (extreme: AlongAxis, position: AlongAxis): Operation =>
  ({ x }: Inputs, { axis }: Args) => ({
    values: extreme(x!, { axis: numberOf(axis) }),
    indices: position(x!, { axis: numberOf(axis) }),
  });

const picked =
  (arg: AlongAxis): Operation =>
  ({ x }: Inputs, { axis, keepdims }: Args) => {
    const at = numberOf(axis);
    const indices = expandDims(arg(x!, { axis: at }), at) as Tensor<readonly number[], 'int32'>;
    const values = takeAlong(x!, indices, { axis: at });
    return booleanOf(keepdims)
      ? { values, indices }
      : { values: squeeze(values, [at]), indices: squeeze(indices, [at]) };
  };

export const linalg: Operations = {
  sort: ({ x }, args) => {
    const indices = argsort(x!, orderOf(args));
    return { values: sort(x!, orderOf(args)), indices };
  },
  argsort: ({ x }, args) => argsort(x!, orderOf(args)),
  topk: ({ x }, { k, axis, largest }) => ({
    ...topK(x!, numberOf(k), { axis: numberOf(axis), largest: booleanOf(largest) }),
  }),
  cummax: running(cummax, cumargmax),
  cummin: running(cummin, cumargmin),
  median: ({ x }, { axis }) => median(x!, { axis: numberOf(axis), interpolation: 'lower' }),
  max_with_indices: picked(argmax),
  min_with_indices: picked(argmin),
  ...distances,
  matrix_exp: ({ a }) => expm(a!),
  matrix_norm: ({ a }, { ord }) => matrixNorm(a!, { ord: stringOf(ord) as 'fro' }),
  matrix_power: ({ a }, { n }) => matrixPower(a!, numberOf(n)),
  unique: ({ x }) => ({ ...unique(x!) }),
  cholesky: ({ a }) => cholesky(a!),
  cholesky_spd: ({ b }, { c }, _, dtype) => {
    const n = b!.shape.at(-1)!;
    return cholesky(add(matmul(b!, swapAxes(b!, -1, -2)), mul(eye(n, { dtype }), numberOf(c))) as Tensor);
  },
  inv: ({ a }) => inv(a!),
  det: ({ a }) => det(a!),
  qr: ({ a }) => ({ ...qr(a!) }),
  slogdet: ({ a }) => ({ ...slogdet(a!) }),
  solve: ({ a, b }) => solve(a!, b!),
  svdvals: ({ a }) => svdvals(a!),
  solve_triangular: ({ a, b }, { upper }) => triangularSolve(a!, b!, { upper: booleanOf(upper) }),
  eigvalsh_sym: ({ b }) => eigvalsh(mul(add(b!, swapAxes(b!, -1, -2) as Tensor), 0.5) as Tensor),
};
