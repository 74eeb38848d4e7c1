/** Calls of losses that must fail. */
import {
  bce,
  bceWithLogits,
  cosineEmbeddingLoss,
  crossEntropy,
  gaussianNll,
  hingeEmbeddingLoss,
  hingeLoss,
  huberLoss,
  klDiv,
  l1Loss,
  marginRankingLoss,
  mseLoss,
  nllLoss,
  poissonNll,
  smoothL1Loss,
  softMarginLoss,
  tensor,
  tripletMarginLoss,
  zeros,
} from 'tenfold';
import type { BadInputs } from './types.js';

type AnyLoss = (...args: readonly unknown[]) => unknown;

const x = zeros([2, 3]);
const column = zeros([2, 1]);
const bytes = zeros([2, 3], { dtype: 'uint8' });
const labels = tensor([0, 1], { dtype: 'int32' });

/** What no loss of `count` tensors takes, and no value of the options named, which are numbers or booleans. */
const refused = (
  f: unknown,
  count: number,
  numbers: readonly string[] = [],
  booleans: readonly string[] = [],
): BadInputs[string] => {
  const call = f as AnyLoss;
  const rest = (n: number): readonly unknown[] => new Array(n).fill(x);
  const all = rest(count);
  return [
    () => call([1, 2], ...rest(count - 1)),
    () => call(null, ...rest(count - 1)),
    () => call(2, ...rest(count - 1)),
    () => call(x, column, ...rest(count - 2)),
    () => call(x, 'x', ...rest(count - 2)),
    () => call(bytes, ...rest(count - 1)),
    () => (call(...rest(count - 1)) as AnyLoss)('x'),
    () => call(...all, 'sum'),
    () => call(...all, null),
    () => call(...all, { reduction: 'median' }),
    () => call(...all, { reduction: x }),
    () => call(...all, { reduce: 'sum' }),
    ...numbers.flatMap(name => [
      () => call(...all, { [name]: Number.NaN }),
      () => call(...all, { [name]: '1' }),
      () => call(...all, { [name]: x }),
    ]),
    ...booleans.flatMap(name => [() => call(...all, { [name]: 1 }), () => call(...all, { [name]: x })]),
  ];
};

/** The same for losses of classes. */
const refusedClasses = (f: unknown): BadInputs[string] => {
  const call = f as AnyLoss;
  return [
    () => call([1, 2], labels),
    () => call(x, [0, 1]),
    () => call(x, 1),
    () => call(x, zeros([3], { dtype: 'int32' })),
    () => call(x, zeros([2, 1], { dtype: 'int32' })),
    () => call(x, zeros([2], { dtype: 'bool' })),
    () => call(x, zeros([2, 3], { dtype: 'bool' })),
    () => call(x, zeros([2, 1])),
    () => call(bytes, labels),
    () => call(zeros([]), zeros([], { dtype: 'int32' })),
    () => call(x, labels, { weight: zeros([2]) }),
    () => call(x, labels, { weight: [1, 2, 3] }),
    () => call(x, labels, { weight: 2 }),
    () => call(x, labels, { ignoreIndex: 0.5 }),
    () => call(x, labels, { ignoreIndex: Number.NaN }),
    () => call(x, labels, { ignoreIndex: '1' }),
    () => call(x, labels, { reduction: 'batchmean' }),
    () => call(x, labels, { smoothing: 0.1 }),
    () => call(x, labels, 0.1),
  ];
};

export const losses: BadInputs = {
  mseLoss: refused(mseLoss, 2),
  l1Loss: refused(l1Loss, 2),
  smoothL1Loss: [
    ...refused(smoothL1Loss, 2, ['beta']),
    () => smoothL1Loss(x, x, { beta: -1 }),
    () => smoothL1Loss(x, x, { beta: Number.POSITIVE_INFINITY }),
  ],
  huberLoss: [
    ...refused(huberLoss, 2, ['delta']),
    () => huberLoss(x, x, { delta: 0 }),
    () => huberLoss(x, x, { delta: Number.POSITIVE_INFINITY }),
  ],
  bce: [
    ...refused(bce, 2),
    () => bce(x, x, { weight: zeros([2]) }),
    () => bce(x, x, { weight: zeros([5, 2, 3]) }),
    () => bce(x, x, { weight: [1] as never }),
  ],
  bceWithLogits: [
    ...refused(bceWithLogits, 2),
    () => bceWithLogits(x, x, { weight: null as never }),
    () => bceWithLogits(x, x, { posWeight: zeros([2]) }),
    () => bceWithLogits(x, x, { posWeight: '2' as never }),
  ],
  crossEntropy: [
    ...refusedClasses(crossEntropy),
    () => crossEntropy(x, x, { ignoreIndex: 1 }),
    () => crossEntropy(x, labels, { labelSmoothing: 1.5 }),
    () => crossEntropy(x, labels, { labelSmoothing: -0.1 }),
    () => crossEntropy(x, labels, { labelSmoothing: Number.NaN }),
    () => crossEntropy(x, x, { labelSmoothing: x as never }),
  ],
  nllLoss: [...refusedClasses(nllLoss), () => nllLoss(x, x as never)],
  klDiv: [...refused(klDiv, 2, [], ['logTarget']), () => klDiv(tensor(1), 1, { reduction: 'batchmean' })],
  gaussianNll: [
    ...refused(gaussianNll, 3, ['epsilon'], ['full']),
    () => gaussianNll(x, x, zeros([2])),
    () => gaussianNll(x, x, bytes),
    () => gaussianNll(x, x, [1] as never),
    () => gaussianNll(x, x, x, { epsilon: 0 }),
  ],
  poissonNll: [...refused(poissonNll, 2, ['epsilon'], ['full', 'logInput']), () => poissonNll(x, x, { epsilon: -1 })],
  hingeLoss: refused(hingeLoss, 2, ['margin']),
  hingeEmbeddingLoss: refused(hingeEmbeddingLoss, 2, ['margin']),
  softMarginLoss: refused(softMarginLoss, 2),
  marginRankingLoss: [...refused(marginRankingLoss, 3, ['margin']), () => marginRankingLoss(x, x, column)],
  tripletMarginLoss: [
    ...refused(tripletMarginLoss, 3, ['margin', 'p', 'epsilon'], ['swap']),
    () => tripletMarginLoss(x, x, column),
    () => tripletMarginLoss(tensor(1), tensor(1), tensor(1)),
    () => tripletMarginLoss(x, x, x, { p: -1 }),
  ],
  cosineEmbeddingLoss: [
    ...refused(cosineEmbeddingLoss, 3, ['margin']),
    () => cosineEmbeddingLoss(x, x, x),
    () => cosineEmbeddingLoss(x, x, zeros([3])),
    () => cosineEmbeddingLoss(x, x, bytes),
    () => cosineEmbeddingLoss(x, x, 'x' as never),
    () => cosineEmbeddingLoss(tensor(1), tensor(1), 1),
  ],
};
