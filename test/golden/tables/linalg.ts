/** Order, distances and products of vectors as PyTorch has them. Decompositions come with an issue of their own. */
import {
  argmax,
  argmin,
  argsort,
  cumargmax,
  cumargmin,
  cummax,
  cummin,
  expandDims,
  median,
  sort,
  squeeze,
  type Tensor,
  takeAlong,
  topK,
  unique,
} from 'tenfold';
import type { Args, Inputs, Operation, Operations } from '../operations.js';
import { booleanOf, numberOf } from '../read.js';
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

/** Those whose cases wait. */
export const missing: readonly string[] = [
  'cholesky',
  'cholesky_spd',
  'det',
  'eigvalsh_sym',
  'inv',
  'matrix_exp',
  'matrix_norm',
  'matrix_power',
  'qr',
  'slogdet',
  'solve',
  'solve_triangular',
  'svdvals',
];

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
  unique: ({ x }) => ({ ...unique(x!) }),
};
