/** Activation functions. */
import * as t from 'tenfold';
import { ones, tensor, zeros } from 'tenfold';
import { type BadInputs, refused } from './types.js';

const x = zeros([2, 3]);
const bytes = zeros([2, 3], { dtype: 'uint8' });

const { relu6, selu, hardSigmoid, hardSwish, mish, logSigmoid, softsign, tanhshrink, glu, geglu } = t;
const plain = { relu6, selu, hardSigmoid, hardSwish, mish, logSigmoid, softsign, tanhshrink };

const each = (functions: Readonly<Record<string, unknown>>, ...calls: readonly (readonly unknown[])[]): BadInputs =>
  Object.fromEntries(Object.entries(functions).map(([name, f]) => [name, refused(f, ...calls)]));

/** Calls with every kind of bad value for an option, and with what is no object of options. */
const option = (name: string, ...bad: readonly unknown[]): readonly (readonly unknown[])[] => [
  ...[Number.NaN, '1', null, tensor(1), ...bad].map(value => [x, { [name]: value }]),
  [bytes],
  [[1, 2]],
  [x, 1],
  [x, { [`${name}s`]: 1 }],
  ['1'],
];

export const activation: BadInputs = {
  ...each(plain, [3], [[1, 2]], [null], [undefined], ['1'], [bytes]),
  leakyRelu: refused(t.leakyRelu, ...option('negativeSlope')),
  elu: refused(t.elu, ...option('alpha')),
  celu: refused(t.celu, ...option('alpha', 0, -1)),
  hardTanh: refused(t.hardTanh, ...option('low', 2), ...option('high', -2)),
  softshrink: refused(t.softshrink, ...option('lambda', -1)),
  hardshrink: refused(t.hardshrink, ...option('lambda', -1)),
  softplus: refused(t.softplus, ...option('beta', 0, -1), ...option('threshold')),
  prelu: refused(
    t.prelu,
    [x, tensor([1, 2])],
    [x, ones([1, 3])],
    [tensor([1, 2, 3]), tensor([1, 2, 3])],
    [x, '1'],
    [x, [1, 2, 3]],
    [x, bytes],
    [bytes, 1],
    [[1], 1],
    [1, x],
  ),
  ...each(
    { glu, geglu },
    [x],
    [x, { axis: 2 }],
    [x, { axis: 0.5 }],
    [x, { dim: 0 }],
    [x, 0],
    [tensor(1)],
    [bytes],
    [[1]],
  ),
};
