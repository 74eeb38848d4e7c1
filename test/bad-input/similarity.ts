/** Calls of distances and the like that must fail. */
import { cdist, cosineSimilarity, cross, normalize, pairwiseDistance, tensor, zeros } from 'tenfold';
import type { BadInputs } from './types.js';

type AnyPair = (...args: readonly unknown[]) => unknown;

const x = zeros([2, 3]);
const bytes = zeros([2, 3], { dtype: 'uint8' });

/** What no function of two tensors with vectors takes. */
const refused = (f: unknown): BadInputs[string] => {
  const call = f as AnyPair;
  return [
    () => call([1, 2, 3], x),
    () => call(x, 2),
    () => call(2, x),
    () => call(x, null),
    () => call(x, zeros([2, 4])),
    () => call(x, bytes),
    () => (call(x) as AnyPair)('x'),
    () => call(tensor(1), tensor(1)),
    () => call(x, x, 2),
    () => call(x, x, { norm: 2 }),
  ];
};

const refusedAxis = (f: unknown): BadInputs[string] =>
  [2, -3, 0.5, Number.NaN, '1', x, [0]].map(axis => () => (f as AnyPair)(x, x, { axis }));

const refusedNumber = (f: unknown, name: string): BadInputs[string] =>
  [Number.NaN, '1', x, null].map(value => () => (f as AnyPair)(x, x, { [name]: value }));

export const similarity: BadInputs = {
  normalize: [
    () => normalize([1, 2] as never),
    () => normalize(bytes),
    () => normalize(tensor(1)),
    // @ts-expect-error normalize: axis 2 is out of range for rank 2
    () => normalize(x, { axis: 2 }),
    // @ts-expect-error normalize: axis 0.5 is out of range for rank 2
    () => normalize(x, { axis: 0.5 }),
    () => normalize(x, { p: -1 }),
    () => normalize(x, { p: Number.NaN }),
    () => normalize(x, { epsilon: -1 }),
    () => normalize(x, { dim: 1 } as never),
    () => normalize(x, 2 as never),
  ],
  cosineSimilarity: [
    ...refused(cosineSimilarity),
    ...refusedAxis(cosineSimilarity),
    ...refusedNumber(cosineSimilarity, 'epsilon'),
    () => cosineSimilarity(x, x, { epsilon: -1 }),
  ],
  pairwiseDistance: [
    ...refused(pairwiseDistance),
    ...refusedAxis(pairwiseDistance),
    ...refusedNumber(pairwiseDistance, 'epsilon'),
    ...refusedNumber(pairwiseDistance, 'p'),
    () => pairwiseDistance(x, x, { p: -1 }),
  ],
  cdist: [
    ...refused(cdist),
    ...refusedNumber(cdist, 'p'),
    () => cdist(x, x, { p: -1 }),
    () => cdist(x, zeros([3])),
    // @ts-expect-error cdist: lengths 2 and 3 differ and neither is 1
    () => cdist(zeros([2, 4, 3]), zeros([3, 4, 3])),
  ],
  cross: [
    ...refused(cross),
    ...refusedAxis(cross),
    // @ts-expect-error cross: axis 0 has length 2, not 3
    () => cross(x, x, { axis: 0 }),
    // @ts-expect-error cross: axis 0 has length 2, not 3
    () => cross(zeros([2]), zeros([2])),
    () => cross(zeros([3], { dtype: 'int32' }), zeros([3], { dtype: 'uint32' })),
  ],
};
