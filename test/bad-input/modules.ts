/** Layers with windows, recurrent ones, attention: made with wrong sizes and options, applied to what does not fit. */
import { type Tensor, zeros } from 'tenfold';
import {
  bilinear,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  dropout,
  gru,
  gruCell,
  lstm,
  lstmCell,
  multiHeadAttention,
  prelu,
  rnn,
  rnnCell,
  transformerDecoderLayer,
  transformerEncoderLayer,
} from 'tenfold/nn';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const noCounts = [0, -1, 1.5, Number.NaN, '2', null, undefined];
const notTensors = [[1], 3, undefined, null];
const bytes = (shape: readonly number[]): Tensor => zeros(shape, { dtype: 'uint8' });

const both = (f: unknown, ...rest: readonly unknown[]): BadInputs[string] =>
  refused(f, ...noCounts.map(n => [n, 4, ...rest]), ...noCounts.map(n => [4, n, ...rest]));

const options = (f: unknown, args: readonly unknown[], wrong: readonly unknown[]): BadInputs[string] =>
  refused(f, ...wrong.map(each => [...args, each]));

const kernels = [0, 1.5, [3, 3, 3, 3], '3', null, undefined];
const wrongConv = [
  ...[
    { stride: 0 },
    { dilation: 0 },
    { dilation: 1.5 },
    { padding: -1 },
    { padding: 'full' },
    { groups: 3 },
    { groups: 0 },
  ],
  ...[{ bias: 1 }, { init: 'zero' }, { strides: 2 }, 1, null],
];

interface AnyConv {
  readonly init: (k: ReturnType<typeof key>) => unknown;
  readonly apply: unknown;
}

/** A layer of 4 channels, with a kernel of length 3. */
const applied = ({ init, apply }: AnyConv, rank: number): BadInputs[string] => {
  const lengths = new Array<number>(rank).fill(5);
  const params = init(key(0));
  const x = zeros([2, 4, ...lengths]);
  const wrong = [zeros([]), zeros([4]), zeros([2, 3, ...lengths]), zeros([1, 2, 4, ...lengths]), bytes(x.shape)];
  return refused(
    apply,
    ...[...wrong, ...notTensors].map(y => [params, y]),
    ...[{}, undefined, null, { weight: zeros([2]), bias: zeros([4]) }].map(p => [p, x]),
  );
};

const convolution = (f: unknown, rank: number, more: readonly unknown[] = []): BadInputs[string] => [
  ...both(f, 3),
  ...refused(f, ...kernels.map(kernel => [4, 4, kernel])),
  ...options(f, [4, 4, 3], [...wrongConv, ...more]),
  ...applied((f as (...args: readonly number[]) => AnyConv)(4, 4, 3), rank),
];

const short = [{ paddingMode: 'constant' }, { stride: 2, padding: 'same' }];
const transposed = [{ outputPadding: 1 }, { outputPadding: -1 }, { padding: 'same' }, { paddingMode: 'zeros' }];

const cell = (f: unknown): BadInputs[string] => [
  ...both(f),
  ...options(f, [4, 4], [{ bias: 1 }, { biases: true }, 1, null]),
];

const states = [zeros([2, 3]), zeros([4]), ...notTensors];
const sequences = [zeros([4]), zeros([2, 5, 3]), zeros([1, 2, 5, 4]), bytes([2, 5, 4]), ...notTensors];

const sequence = (f: unknown): BadInputs[string] => {
  const layer = (f as typeof gru)(4, 3);
  const params = layer.init(key(0));
  const wrong = [
    ...[{ layers: 0 }, { bidirectional: 1 }, { batchFirst: 'yes' }, { bias: 0 }, { dropout: 2 }],
    ...[{ hidden: 3 }, 1, null],
  ];
  return [
    ...both(f),
    ...options(f, [4, 3], wrong),
    ...refused(layer.apply, ...sequences.map(x => [params, x])),
    ...refused(
      layer.apply,
      ...[{ h: zeros([2, 3]) }, { h: 3 }, { key: 3 }, { state: 1 }, 3].map(context => [
        params,
        zeros([2, 5, 4]),
        context,
      ]),
      ...[{}, undefined, null, { ...params, weightIhL0: zeros([3]) }].map(p => [p, zeros([2, 5, 4])]),
    ),
  ];
};

const projected = lstm(4, 3, { projSize: 2 });
const attend = multiHeadAttention(4, 2);
const more = multiHeadAttention(4, 2, { addBiasKv: true });
const places = zeros([3, 5, 4]);
const encode = transformerEncoderLayer(4, 2, { feedForward: 3 });
const decode = transformerDecoderLayer(4, 2, { feedForward: 3 });
const wrongTransformer = [
  ...[{ feedForward: 0 }, { activation: 'silly' }, { activation: 3 }, { dropout: -1 }, { normFirst: 1 }],
  ...[{ epsilon: -1 }, { feedforward: 3 }, 3, null],
];
const wrongPlaces = [zeros([4]), zeros([5, 3]), bytes([5, 4]), ...notTensors];

export const modules: BadInputs = {
  'nn.conv1d': convolution(conv1d, 1, short),
  'nn.conv2d': [
    ...convolution(conv2d, 2, short),
    ...refused(conv2d(1, 1, 1, { padding: 3, paddingMode: 'reflect' }).apply, [
      { weight: zeros([1, 1, 1, 1]), bias: zeros([1]) },
      zeros([1, 3, 3]),
    ]),
    ...refused(conv2d(1, 1, 3).apply, [{ weight: zeros([1, 1, 3, 3]), bias: zeros([1]) }, zeros([1, 2, 2])]),
  ],
  'nn.conv3d': convolution(conv3d, 3, short),
  'nn.convTranspose1d': convolution(convTranspose1d, 1, transposed),
  'nn.convTranspose2d': convolution(convTranspose2d, 2, transposed),
  'nn.convTranspose3d': convolution(convTranspose3d, 3, transposed),
  bilinear: [
    ...both(bilinear, 2),
    ...refused(bilinear, ...noCounts.map(n => [3, 2, n]), [3, 2, 2, { bias: 1 }], [3, 2, 2, 1]),
    ...refused(
      bilinear(3, 4, 2).apply,
      ...[
        [zeros([3]), zeros([3])],
        [zeros([4]), zeros([4])],
        [zeros([2, 3]), zeros([5, 4])],
        [3, zeros([4])],
      ].map(xs => [bilinear(3, 4, 2).init(key(0)), ...xs]),
      ...[{}, undefined].map(params => [params, zeros([3]), zeros([4])]),
    ),
  ],
  'nn.prelu': [
    ...refused(prelu, ...noCounts.filter(n => n !== undefined).map(n => [n])),
    ...options(prelu, [1], [{ slope: Number.NaN }, { slope: '0' }, { init: 0.1 }, 1]),
    ...refused(
      prelu(2).apply,
      ...[zeros([3]), zeros([2, 3]), bytes([2, 2]), ...notTensors].map(x => [{ weight: zeros([2]) }, x]),
      ...[{}, undefined, { weight: zeros([3]) }].map(params => [params, zeros([1, 2])]),
    ),
  ],
  dropout: [
    ...refused(dropout, ...[-0.1, 1.1, Number.NaN, '0', null].map(rate => [rate])),
    ...refused(dropout(0.5).apply, ...[bytes([2]), ...notTensors].map(x => [{}, x])),
    ...refused(
      dropout(0.5).apply,
      ...[{ key: 3 }, { key: zeros([2]) }, { rate: 1 }, 3, null].map(context => [{}, zeros([2]), context]),
    ),
  ],
  rnnCell: [
    ...cell(rnnCell),
    ...options(rnnCell, [4, 4], [{ nonlinearity: 'sigmoid' }, { nonlinearity: 3 }]),
    ...refused(rnnCell(3, 4).apply, ...states.map(h => [rnnCell(3, 4).init(key(0)), zeros([2, 3]), h])),
    ...refused(rnnCell(3, 4).apply, ...[{}, undefined].map(params => [params, zeros([2, 3]), zeros([2, 4])])),
  ],
  gruCell: [
    ...cell(gruCell),
    ...refused(gruCell(3, 4).apply, ...states.map(h => [gruCell(3, 4).init(key(0)), zeros([2, 3]), h])),
    ...refused(gruCell(3, 4).apply, [gruCell(3, 4).init(key(0)), zeros([2, 4]), zeros([2, 4])]),
  ],
  lstmCell: [
    ...cell(lstmCell),
    ...refused(
      lstmCell(3, 4).apply,
      ...states.flatMap(state =>
        [{ h: state, c: zeros([2, 4]) }, { h: zeros([2, 4]), c: state }, state].map(each => [
          lstmCell(3, 4).init(key(0)),
          zeros([2, 3]),
          each,
        ]),
      ),
    ),
  ],
  rnn: [...sequence(rnn), ...options(rnn, [4, 3], [{ nonlinearity: 'sigmoid' }, { projSize: 2 }])],
  gru: [...sequence(gru), ...options(gru, [4, 3], [{ nonlinearity: 'tanh' }, { projSize: 2 }])],
  lstm: [
    ...sequence(lstm),
    ...refused(lstm(4, 3).apply, [lstm(4, 3).init(key(0)), zeros([5, 4]), { c: zeros([1]) }]),
    ...options(lstm, [4, 3], [{ projSize: 0 }, { projSize: 3 }, { projSize: 1.5 }, { projSize: '2' }]),
    ...refused(
      projected.apply,
      [projected.init(key(0)), zeros([5, 4]), { h: zeros([1, 3]) }],
      [projected.init(key(0)), zeros([5, 4]), { c: zeros([1, 2]) }],
      [lstm(4, 3).init(key(0)), zeros([5, 4])],
    ),
  ],
  multiHeadAttention: [
    ...both(multiHeadAttention),
    ...refused(multiHeadAttention, [4, 3]),
    ...options(
      multiHeadAttention,
      [4, 2],
      [
        ...[{ bias: 1 }, { keySize: 0 }, { valueSize: '2' }, { dropout: 2 }, { blockSize: 0 }, { heads: 2 }, 1, null],
        ...[{ addBiasKv: 1 }, { addZeroAttn: 'no' }],
      ],
    ),
    ...refused(
      more.apply,
      [attend.init(key(0)), places],
      [{ ...more.init(key(0)), biasV: zeros([4]) }, places],
      [more.init(key(0)), places, { mask: zeros([5, 6]) }],
    ),
    ...[attend.apply, attend.withWeights].flatMap(f =>
      refused(
        f,
        ...wrongPlaces.map(x => [attend.init(key(0)), x]),
        ...[{}, undefined, null].map(params => [params, places]),
        ...[
          ...[{ keys: zeros([3, 7, 3]) }, { keys: zeros([7, 4]) }, { values: zeros([3, 6, 4]) }, { keys: 3 }],
          ...[{ mask: zeros([5, 4]) }, { mask: zeros([5, 5], { dtype: 'int32' }) }, { mask: 3 }, { causal: 1 }],
          ...[{ keyMask: zeros([3, 4]) }, { keyMask: zeros([2, 3, 5]) }, { key: 3 }, { query: places }, 3, null],
        ].map(inputs => [attend.init(key(0)), places, inputs]),
      ),
    ),
  ],
  transformerEncoderLayer: [
    ...both(transformerEncoderLayer),
    ...refused(transformerEncoderLayer, [4, 3]),
    ...options(transformerEncoderLayer, [4, 2], wrongTransformer),
    ...refused(
      encode.apply,
      ...wrongPlaces.map(x => [encode.init(key(0)), x]),
      ...[{ key: 3 }, { memoryMask: 3 }, 3, null].map(inputs => [encode.init(key(0)), places, inputs]),
    ),
  ],
  transformerDecoderLayer: [
    ...both(transformerDecoderLayer),
    ...refused(transformerDecoderLayer, [4, 3]),
    ...options(transformerDecoderLayer, [4, 2], wrongTransformer),
    ...refused(
      decode.apply,
      ...wrongPlaces.map(x => [decode.init(key(0)), x, places]),
      ...wrongPlaces.map(memory => [decode.init(key(0)), places, memory]),
      ...[{ key: 3 }, { masks: 3 }, 3, null].map(inputs => [decode.init(key(0)), places, places, inputs]),
    ),
  ],
};
