/** Layers: made with wrong sizes and options, applied to wrong parameters and tensors. */
import { type Tensor, zeros } from 'tenfold';
import {
  activation,
  batchNorm,
  embedding,
  groupNorm,
  instanceNorm,
  layerNorm,
  linear,
  residualMlp,
  rmsNorm,
  sequential,
  timestepEmbedding,
} from 'tenfold/nn';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const noCounts = [0, -1, 1.5, Number.NaN, '2', null, undefined];
const wrongOptions = [{ epsilon: -1 }, { epsilon: Number.NaN }, { epsilon: '0' }, { eps: 1e-5 }, 1e-5];
const wrongAffine = [...wrongOptions, { affine: 1 }];
const wrongStatistics = [...wrongAffine, { trackRunningStats: 0 }, { tracks: true }];
const wrongMomenta = [-0.1, 1.1, Number.NaN, '0'].map(momentum => ({ momentum }));
const image = zeros([2, 4, 3]);
const bytes = (shape: readonly number[]): Tensor => zeros(shape, { dtype: 'uint8' });

interface AnyLayer {
  readonly init: (k: ReturnType<typeof key>) => object;
  readonly apply: unknown;
  readonly train?: unknown;
}

/** What no normalisation takes; `x` is what this one does. */
const applied = ({ init, ...functions }: AnyLayer, x: Tensor, wrong: readonly Tensor[]): BadInputs[string] => {
  const params = init(key(0));
  const wide = Object.fromEntries(Object.keys(params).map(name => [name, zeros([7])]));
  return Object.values(functions).flatMap(f =>
    refused(
      f,
      ...[...wrong, zeros([]), bytes(x.shape), [1], 3, undefined].map(y => [params, y]),
      ...[wide, {}, undefined, null].map(p => [p, x]),
    ),
  );
};

export const layers: BadInputs = {
  layerNorm: [
    ...refused(layerNorm, ...[...noCounts, [], [2, 0]].map(size => [size])),
    ...refused(layerNorm, ...[...wrongAffine, { bias: 0 }].map(options => [3, options])),
    ...applied(layerNorm(3, { bias: false }), image, [zeros([3, 4])]),
    ...applied(layerNorm(3), image, [zeros([3, 4])]),
    ...applied(layerNorm([4, 3]), image, [zeros([3]), zeros([3, 4])]),
  ],
  rmsNorm: [
    ...refused(rmsNorm, ...[...noCounts, [], [2, 0]].map(size => [size])),
    ...refused(rmsNorm, ...wrongAffine.map(options => [3, options])),
    ...applied(rmsNorm(3), image, [zeros([3, 4])]),
  ],
  groupNorm: [
    ...refused(groupNorm, ...noCounts.map(groups => [groups, 4]), ...noCounts.map(channels => [2, channels]), [3, 4]),
    ...refused(groupNorm, ...wrongAffine.map(options => [2, 4, options])),
    ...applied(groupNorm(2, 4), image, [zeros([4]), zeros([2, 3])]),
  ],
  instanceNorm: [
    ...refused(instanceNorm, ...noCounts.map(channels => [channels])),
    ...refused(instanceNorm, ...[...wrongStatistics, ...wrongMomenta].map(options => [4, options])),
    ...applied(instanceNorm(4, { affine: true }), image, [zeros([2, 4]), zeros([2, 3, 4]), zeros([2, 4, 1])]),
    ...applied(instanceNorm(4, { trackRunningStats: true }), image, [zeros([2, 4]), zeros([2, 3, 4])]),
    ...refused(
      instanceNorm(4, { trackRunningStats: true }).train,
      ...[zeros([2, 4, 1]), zeros([0, 4, 3])].map(x => [instanceNorm(4, { trackRunningStats: true }).init(key(0)), x]),
    ),
  ],
  batchNorm: [
    ...refused(batchNorm, ...noCounts.map(channels => [channels])),
    ...refused(batchNorm, ...[...wrongStatistics, ...wrongMomenta].map(options => [4, options])),
    ...applied(batchNorm(4), image, [zeros([4]), zeros([2, 3])]),
    ...applied(batchNorm(4, { affine: false }), image, [zeros([4]), zeros([2, 3])]),
    ...applied(batchNorm(4, { trackRunningStats: false }), image, [zeros([4]), zeros([2, 3]), zeros([1, 4])]),
    ...refused(batchNorm(4).train, [batchNorm(4).init(key(0)), zeros([1, 4])]),
  ],
  embedding: [
    ...refused(embedding, ...noCounts.map(count => [count, 2]), ...noCounts.map(size => [3, size])),
    ...refused(embedding, ...[3, -4, 0.5, Number.NaN, '0', null].map(paddingIndex => [3, 2, { paddingIndex }])),
    ...refused(embedding, [3, 2, { padding: 0 }], [3, 2, 0]),
    ...refused(embedding, ...[0, -1, Number.NaN, '1', null].map(maxNorm => [3, 2, { maxNorm }])),
    ...refused(embedding, ...[0, -1, Number.NaN, '2', null].map(normType => [3, 2, { maxNorm: 1, normType }])),
    ...refused(
      embedding(3, 2).apply,
      ...[zeros([2]), [0], 0, undefined].map(indices => [{ weight: zeros([3, 2]) }, indices]),
      ...[{ weight: zeros([2, 3]) }, {}, undefined].map(params => [params, zeros([2], { dtype: 'int32' })]),
    ),
  ],
  linear: [
    ...refused(linear, ...noCounts.map(inputs => [inputs, 2]), ...noCounts.map(outputs => [3, outputs])),
    ...refused(linear, ...[{ init: 'zero' }, { bias: 0 }, { biases: false }, 'zeros'].map(options => [3, 2, options])),
    ...applied(linear(3, 2), image, [zeros([3, 4])]),
  ],
  sequential: [
    ...refused(
      sequential,
      [],
      [3],
      [null],
      [linear(3, 2), undefined],
      [linear(3, 2), Math.abs],
      [{ init: () => ({}) }],
    ),
    ...refused(
      sequential(linear(3, 2)).apply,
      ...[[], [1, 2], {}, 3, null, undefined, linear(3, 2).init(key(0))].map(params => [params, image]),
    ),
  ],
  activation: [
    ...refused(activation, [], [3], [null], [{}]),
    ...refused(
      activation(x => (x.shape.length > 1 ? zeros([3]) : (3 as never))).apply,
      ...[zeros([2, 3]), zeros([3]), 3, undefined].map(x => [{}, x]),
    ),
  ],
  residualMlp: [
    ...refused(residualMlp, ...noCounts.map(size => [{ size, hidden: 8, blocks: 1 }])),
    ...refused(residualMlp, ...noCounts.map(hidden => [{ size: 4, hidden, blocks: 1 }])),
    ...refused(residualMlp, ...[-1, 1.5, Number.NaN].map(blocks => [{ size: 4, hidden: 8, blocks }])),
    ...refused(residualMlp, [{ size: 4, hidden: 8, blocks: 1, embedding: 1 }], [{ size: 4, width: 8, blocks: 1 }], []),
    ...refused(
      residualMlp({ size: 4, hidden: 8, blocks: 1 }).apply,
      ...[
        [zeros([2, 3]), zeros([2])],
        [[1, 2, 3, 4], zeros([2])],
        [zeros([2, 4]), zeros([3])],
        [zeros([2, 4]), 3],
      ].map(inputs => [residualMlp({ size: 4, hidden: 8, blocks: 1 }).init(key(0)), ...inputs]),
    ),
  ],
  timestepEmbedding: refused(
    timestepEmbedding,
    ...noCounts.map(size => [zeros([2]), size]),
    ...[zeros([]), zeros([2, 2]), [1, 2], 3].map(t => [t, 4]),
    ...[{ maxPeriod: 0 }, { maxPeriod: Number.NaN }, { period: 10 }, { dtype: 'int32' }, 10].map(options => [
      zeros([2]),
      4,
      options,
    ]),
  ),
};
