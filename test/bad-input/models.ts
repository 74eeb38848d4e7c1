/** Models, pooling, other resolutions, embeddings: made with sizes and options that cannot be, applied to what does not fit. */
import { type Tensor, zeros } from 'tenfold';
import * as nn from 'tenfold/nn';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const noCounts = [0, -1, 1.5, Number.NaN, '2', null];
const notTensors = [[1], 3, undefined, null];
const bytes = (shape: readonly number[]): Tensor => zeros(shape, { dtype: 'uint8' });

interface AnyLayer {
  readonly init: (k: ReturnType<typeof key>) => unknown;
  readonly apply: unknown;
}

const small = { depth: 1, hiddenSize: 8, numHeads: 2, patchSize: 2, inputSize: 4, inChannels: 2, numClasses: 3 };
const model = nn.dit(small);
const params = model.init(key(0));
const plain = nn.dit({ ...small, numClasses: undefined as never });
const x = zeros([2, 2, 4, 4]);
const t = zeros([2]);
const y = zeros([2], { dtype: 'int32' });

const spoiled: readonly object[] = [
  ...['depth', 'hiddenSize', 'numHeads', 'patchSize', 'inputSize', 'inChannels', 'numClasses', 'mlpRatio'].flatMap(
    name => [0, -1, Number.NaN, '2', null].map(value => ({ [name]: value })),
  ),
  ...[-0.1, 1, Number.NaN, '0', null].map(classDropoutProb => ({ classDropoutProb })),
  ...['learnSigma', 'checkpointing'].flatMap(name => [0, 'true', null].map(value => ({ [name]: value }))),
  ...['DiT-M/2', 'DiT-S/3', 'S/2', '', 3, null].map(name => ({ name })),
  ...[{ hiddenSize: 10 }, { numHeads: 3 }, { inputSize: 5 }, { mlpRatio: 0.01 }, { classes: 3 }],
];

/** Pooling over as many axes. */
const pool = (name: string, f: unknown, rank: number, wrong: readonly unknown[]): BadInputs => {
  const layer = (f as (size: number) => AnyLayer)(2);
  const lengths = new Array<number>(rank).fill(4);
  return {
    [`nn.${name}`]: [
      ...refused(f, ...noCounts.map(size => [size]), [[]], [[2, 2, 2, 2]], [undefined]),
      ...refused(f, ...wrong.map(options => [2, options])),
      ...refused(
        layer.apply,
        ...[zeros([]), zeros([4]), zeros([1, 1, 1, ...lengths]), bytes([1, 1, ...lengths]), ...notTensors].map(
          image => [{}, image],
        ),
      ),
    ],
  };
};

const windows = [
  { stride: 0 },
  { stride: '2' },
  { padding: -1 },
  { padding: '1' },
  { ceilMode: 1 },
  { bogus: 1 },
  3,
  null,
];
const seen = [...windows, { dilation: 0 }, { dilation: 1.5 }, { countIncludePad: true }];
const means = [...windows, { dilation: 2 }, { countIncludePad: 0 }];

const perceptron = nn.mlp([2, 3, 1], { norm: 'layer', dropout: 0.5 });
const own = perceptron.init(key(0));
const wide = nn.upsample({ scale: 2, mode: 'bilinear' });
const time = nn.fourierEmbedding(4);
const points = nn.fourierFeatures(2, 4);

const latent = { blockOutChannels: [4, 4], normNumGroups: 2 };
const autoencoder = nn.autoencoderKl(latent);
const weights = autoencoder.init(key(0));
const encoded = autoencoder.encode(weights, zeros([1, 3, 4, 4]));

export const models: BadInputs = {
  autoencoderKl: [
    ...refused(
      nn.autoencoderKl,
      ...[null, 3, [], { bogus: 1 }, { blockOutChannels: [4, 6] }].map(options => [options]),
      ...['inChannels', 'outChannels', 'layersPerBlock', 'latentChannels', 'normNumGroups'].flatMap(name =>
        noCounts.map(value => [{ ...latent, [name]: value }]),
      ),
      ...[null, 2, [], [0], ['4'], [4, 1.5], [3]].map(blockOutChannels => [{ ...latent, blockOutChannels }]),
      ...['midBlockAddAttention', 'useQuantConv', 'usePostQuantConv'].flatMap(name =>
        [0, 'true', null].map(value => [{ ...latent, [name]: value }]),
      ),
    ),
    ...[autoencoder.apply, autoencoder.encode].flatMap(f =>
      refused(
        f,
        ...[
          zeros([1, 4, 4, 4]),
          zeros([3, 4, 4]),
          zeros([1, 3, 5, 4]),
          zeros([1, 3, 0, 4]),
          bytes([1, 3, 4, 4]),
          3,
        ].map(image => [weights, image]),
        ...[undefined, null, 3, {}, { ...weights, encoder: {} }].map(wrong => [wrong, zeros([1, 3, 4, 4])]),
      ),
    ),
    ...refused(
      autoencoder.apply,
      ...[3, null, { key: 3 }, { y: 1 }].map(context => [weights, zeros([1, 3, 4, 4]), context]),
    ),
    ...refused(autoencoder.sample, [encoded], [encoded, 3], ...[undefined, null, 3, {}, t].map(z => [z, key(0)])),
    ...refused(autoencoder.sample, [{ ...encoded, mean: zeros([2]) }, key(0)]),
    ...refused(autoencoder.decode, ...[zeros([1, 3, 4, 4]), zeros([4, 4, 4]), 3].map(z => [weights, z])),
    ...refused(autoencoder.decode, ...[undefined, {}, null].map(wrong => [wrong, zeros([1, 4, 2, 2])])),
  ],
  dit: [
    ...refused(nn.dit, [null], [3], [[]], ...spoiled.map(each => [{ ...small, ...each }])),
    ...refused(
      model.apply,
      ...[zeros([2, 3, 4, 4]), zeros([2, 4, 4]), zeros([2, 2, 4, 8]), zeros([2, 2, 8, 8]), bytes([2, 2, 4, 4]), 3].map(
        image => [params, image, t, { y }],
      ),
      ...[zeros([3]), zeros([]), zeros([2, 1]), zeros([2], { dtype: 'bool' }), 3, undefined].map(times => [
        params,
        x,
        times,
        { y },
      ]),
      ...[undefined, 3, [], null, { z: t }, { y, key: 3 }, { y, key: t }, { y: t }, { y: 3 }, { y: zeros([3]) }].map(
        context => [params, x, t, context],
      ),
      ...[undefined, null, 3, {}, [], { ...params, blocks: [] }, { ...params, finalLayer: 3 }].map(wrong => [
        wrong,
        x,
        t,
        { y },
      ]),
    ),
    ...refused(plain.apply, [plain.init(key(0)), x, t, { y }]),
  ],
  mlp: [
    ...refused(
      nn.mlp,
      [],
      [null],
      [3],
      [[]],
      [[3]],
      ...noCounts.map(size => [[2, size]]),
      ...noCounts.map(n => [[n, 2]]),
    ),
    ...refused(
      nn.mlp,
      ...[
        { activation: 3 },
        { activation: null },
        { norm: 'batch' },
        { norm: null },
        { dropout: 2 },
        { dropout: '0' },
      ].map(options => [[2, 3, 1], options]),
      ...[{ bogus: 1 }, 3, null].map(options => [[2, 3, 1], options]),
    ),
    ...refused(
      perceptron.apply,
      ...[zeros([]), zeros([3]), bytes([2]), ...notTensors].map(input => [own, input]),
      ...[
        undefined,
        null,
        {},
        { layers: own.layers },
        { layers: own.layers, norms: [] },
        { layers: [], norms: [] },
      ].map(wrong => [wrong, zeros([2])]),
      ...[{ key: 3 }, { k: key(0) }, 3, null].map(context => [own, zeros([2]), context]),
    ),
  ],
  ...pool('maxPool1d', nn.maxPool1d, 1, seen),
  ...pool('maxPool2d', nn.maxPool2d, 2, seen),
  ...pool('maxPool3d', nn.maxPool3d, 3, seen),
  ...pool('avgPool1d', nn.avgPool1d, 1, means),
  ...pool('avgPool2d', nn.avgPool2d, 2, means),
  ...pool('avgPool3d', nn.avgPool3d, 3, means),
  ...pool('adaptiveMaxPool1d', nn.adaptiveMaxPool1d, 1, []),
  ...pool('adaptiveMaxPool2d', nn.adaptiveMaxPool2d, 2, []),
  ...pool('adaptiveMaxPool3d', nn.adaptiveMaxPool3d, 3, []),
  ...pool('adaptiveAvgPool1d', nn.adaptiveAvgPool1d, 1, []),
  ...pool('adaptiveAvgPool2d', nn.adaptiveAvgPool2d, 2, []),
  ...pool('adaptiveAvgPool3d', nn.adaptiveAvgPool3d, 3, []),
  upsample: [
    ...refused(
      nn.upsample,
      ...[undefined, null, 3, {}, { size: 2, scale: 2 }, { scale: 2, mode: 'cube' }, { scale: 2, mode: null }].map(
        o => [o],
      ),
      ...[0, -1, Number.NaN, '2', null, [], [1, 1, 1, 1]].map(scale => [{ scale }]),
      ...[0, -1, 1.5, '2', null, [], [1, 1, 1, 1]].map(size => [{ size }]),
      ...[
        { scale: 2, alignCorners: true },
        { scale: 2, mode: 'linear', alignCorners: 1 },
        { scale: 2, bogus: 1 },
      ].map(options => [options]),
    ),
    ...refused(
      wide.apply,
      ...[zeros([3]), zeros([1, 1, 1, 2, 2]), zeros([1, 1, 0, 2]), bytes([1, 1, 2, 2]), ...notTensors].map(image => [
        {},
        image,
      ]),
    ),
  ],
  'nn.pixelShuffle': [
    ...refused(nn.pixelShuffle, [], ...noCounts.map(factor => [factor])),
    ...refused(
      nn.pixelShuffle(2).apply,
      ...[zeros([4]), zeros([3, 2, 2]), bytes([4, 2, 2]), 3].map(image => [{}, image]),
    ),
  ],
  'nn.pixelUnshuffle': [
    ...refused(nn.pixelUnshuffle, [], ...noCounts.map(factor => [factor])),
    ...refused(
      nn.pixelUnshuffle(2).apply,
      ...[zeros([4]), zeros([3, 2, 3]), bytes([4, 2, 2]), 3].map(image => [{}, image]),
    ),
  ],
  fourierEmbedding: [
    ...refused(nn.fourierEmbedding, [], [3], ...noCounts.map(size => [size])),
    ...refused(nn.fourierEmbedding, ...[{ scale: 0 }, { scale: '1' }, { bogus: 1 }, 3, null].map(o => [4, o])),
    ...refused(
      time.apply,
      ...[bytes([2]), ...notTensors.filter(each => each !== 3)].map(at => [time.init(key(0)), at]),
    ),
    ...refused(time.apply, ...[undefined, null, {}, { weight: zeros([3]) }].map(wrong => [wrong, t])),
  ],
  fourierFeatures: [
    ...refused(nn.fourierFeatures, [], [2, 3], ...noCounts.map(size => [2, size]), ...noCounts.map(n => [n, 2])),
    ...refused(nn.fourierFeatures, ...[{ scale: -1 }, { scale: null }, { bogus: 1 }, 3].map(o => [2, 4, o])),
    ...refused(
      points.apply,
      ...[zeros([3]), zeros([]), bytes([2]), ...notTensors].map(at => [points.init(key(0)), at]),
    ),
    ...refused(points.apply, ...[undefined, null, {}, { weight: zeros([3]) }].map(wrong => [wrong, zeros([2])])),
  ],
};
