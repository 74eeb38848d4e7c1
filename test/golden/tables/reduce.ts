/** Reductions and scans as PyTorch has them. */
import {
  all,
  any,
  argmax,
  argmin,
  cumprod,
  cumsum,
  logSoftmax,
  logsumexp,
  max,
  mean,
  min,
  norm,
  prod,
  quantile,
  softmax,
  std,
  sum,
  type Tensor,
  variance,
} from 'tenfold';
import type { Args, Operation, Operations } from '../operations.js';
import { booleanOf, numberOf, numbersOf, stringOf } from '../read.js';

const optionsOf = ({ axis, keepdims, correction, ord }: Args): object => ({
  ...(axis == null ? {} : { axis: Array.isArray(axis) ? numbersOf(axis) : numberOf(axis) }),
  ...(keepdims === undefined ? {} : { keepDims: booleanOf(keepdims) }),
  ...(correction === undefined ? {} : { ddof: numberOf(correction) }),
  ...(ord === undefined ? {} : { ord: numberOf(ord) }),
});

const reduced =
  (reduce: (x: Tensor, options: object) => Tensor): Operation =>
  ({ x }, args) =>
    reduce(x!, optionsOf(args));

const along =
  (f: (x: Tensor, options: { axis: number }) => Tensor): Operation =>
  ({ x }, { axis }) =>
    f(x!, { axis: numberOf(axis) });

export const reductions: Operations = {
  sum: reduced(sum),
  mean: reduced(mean),
  var: reduced(variance),
  std: reduced(std),
  max: reduced(max),
  min: reduced(min),
  prod: reduced(prod),
  argmax: reduced(argmax as (x: Tensor, options: object) => Tensor),
  argmin: reduced(argmin as (x: Tensor, options: object) => Tensor),
  logsumexp: reduced(logsumexp),
  any: reduced(any),
  all: reduced(all),
  norm: reduced(norm),
  quantile: ({ x }, { q, axis, interpolation }) =>
    quantile(x!, numberOf(q), { axis: numberOf(axis), interpolation: stringOf(interpolation) as 'linear' }),
  cumsum: along(cumsum),
  cumprod: along(cumprod),
  softmax: along(softmax),
  log_softmax: along(logSoftmax),
};
