/** Calls of reductions and scans that must fail. */
import {
  argmax,
  argmin,
  countNonzero,
  cumargmax,
  cumargmin,
  cumlogsumexp,
  cummax,
  cummin,
  cumprod,
  cumsum,
  linearRecurrence,
  logsumexp,
  max,
  mean,
  median,
  min,
  norm,
  prod,
  quantile,
  std,
  sum,
  tensor,
  variance,
  zeros,
} from 'tenfold';
import type { BadInputs } from './types.js';

type Reduce = (x: never, options?: never) => unknown;
type Recur = (x: unknown, factors: unknown, options?: object) => unknown;

const x = tensor([[1, 2]]) as never;

/** What no reduction takes. */
const usual = (reduce: Reduce): readonly (() => unknown)[] => [
  () => reduce([1, 2] as never),
  () => reduce(x, { axis: 2 } as never),
  () => reduce(x, { axis: [0, 0] } as never),
  () => reduce(x, { dim: 0 } as never),
  () => reduce(x, 0 as never),
];

const empty = zeros([0, 2]) as never;
const ofNothing =
  (reduce: Reduce): (() => unknown) =>
  () =>
    reduce(empty, { axis: 0 } as never);

const recur = linearRecurrence as Recur;

const scans: Readonly<Record<string, (x: never, options: object) => unknown>> = {
  cumsum,
  cumprod,
  cummax,
  cummin,
  cumargmax,
  cumargmin,
  cumlogsumexp,
};

export const reduction: BadInputs = {
  sum: usual(sum),
  mean: usual(mean),
  prod: usual(prod),
  countNonzero: usual(countNonzero),
  logsumexp: usual(logsumexp),
  max: [...usual(max), ofNothing(max)],
  min: [...usual(min), ofNothing(min)],
  argmax: [...usual(argmax), ofNothing(argmax), () => argmax(x, { axis: [0, 1] } as never)],
  argmin: [...usual(argmin), ofNothing(argmin)],
  variance: [...usual(variance), () => variance(x, { ddof: NaN })],
  std: [...usual(std), () => std(x, { ddof: '1' as never })],
  norm: [
    ...usual(norm),
    () => norm(x, { ord: NaN }),
    () => norm(x, { ord: 'fro' as never }),
    () => norm(empty, { ord: -Infinity }),
  ],
  median: [...usual(median), ofNothing(median), () => median(x, { interpolation: 'mean' as never })],
  quantile: [
    ...usual((y, options) => quantile(y, 0.5, options)),
    ofNothing((y, options) => quantile(y, 0.5, options)),
    () => quantile(x, 1.5),
    () => quantile(x, [0.5, NaN]),
    () => quantile(x, []),
    () => quantile(x, '0.5' as never),
    () => quantile(x, 0.5, { interpolation: 'cubic' as never }),
  ],
  ...Object.fromEntries(
    Object.entries(scans).map(([name, scan]) => [
      name,
      [
        () => scan([1, 2] as never, {}),
        () => scan(tensor(1) as never, {}),
        () => scan(x, { axis: 2 }),
        () => scan(x, { axis: 0.5 }),
        () => scan(x, { reverse: 1 }),
        () => scan(x, { exclusive: true }),
      ],
    ]),
  ),
  linearRecurrence: [
    () => recur(x, tensor([1, 2])),
    () => recur(x, 2),
    () => recur(x, x, { axis: 5 }),
    () => recur(x, x, { dim: 1 }),
  ],
};
