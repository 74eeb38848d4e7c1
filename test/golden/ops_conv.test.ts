/** Convolutions of the group; pooling and resampling are skipped, by name, until these operations are there. */
import {
  add,
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  type FloatDType,
  reshape,
  type Tensor,
  tensor,
  vjp,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import {
  at,
  type GoldenCase,
  type GoldenGroup,
  goldenTests,
  numberOf,
  numbersOf,
  objectOf,
  selected,
  stringOf,
  unknownCase,
  withinF32,
  withinF64,
} from './read.js';

type Convolve = (x: Tensor, w: Tensor, options: ConvOptions & ConvTransposeOptions) => Tensor;

const operations: Readonly<Record<string, Convolve>> = {
  conv1d,
  conv2d,
  conv3d,
  conv_transpose1d: convTranspose1d,
  conv_transpose2d: convTranspose2d,
};

/** Operations that are still to come. */
const missing = ['avg_pool1d', 'avg_pool2d', 'adaptive_avg_pool2d', 'interpolate', 'max_pool1d', 'max_pool2d'];

class Missing extends Error {}

const options = (testCase: GoldenCase) => {
  const args = objectOf(at(testCase, 'args'));
  const common = {
    stride: numbersOf(args.stride),
    padding: numbersOf(args.padding),
    dilation: numbersOf(args.dilation),
    groups: numberOf(args.groups),
  };
  return args.output_padding === undefined ? common : { ...common, outputPadding: numbersOf(args.output_padding) };
};

const checkIn = (dtype: FloatDType, testCase: GoldenCase, group: GoldenGroup, convolve: Convolve): void => {
  const inputs = objectOf(at(testCase, 'inputs'));
  const names = Object.keys(inputs);
  const read = (ref: Parameters<GoldenGroup['tensor']>[0]): Tensor => {
    const { data, shape } = group.tensor(ref);
    return tensor(data, shape, { dtype }) as Tensor;
  };
  const given = options(testCase);
  const f = (...args: readonly Tensor[]): Tensor => {
    const [x, weight, bias] = ['x', 'weight', 'bias'].map(name => args[names.indexOf(name)]) as [
      Tensor,
      Tensor,
      Tensor?,
    ];
    const y = convolve(x, weight, given);
    return bias === undefined ? y : (add(y, reshape(bias, [-1, ...given.stride.map(() => 1)])) as Tensor);
  };
  const [y, pullback] = vjp(f, ...names.map(name => read(inputs[name])));
  const gradients = pullback(read(at(testCase, 'cot', 'y'))) as readonly Tensor[];
  const errors = objectOf(at(testCase, 'f32_err'));
  const compare = (name: string, got: Tensor, wanted: ReturnType<GoldenGroup['tensor']>): void => {
    const where = `${testCase.name}, ${name}, ${dtype}`;
    const values = { shape: got.shape, data: got.dataSync() };
    if (dtype === 'float64') withinF64(where, values, wanted);
    else withinF32(where, values, wanted, errors[name]);
  };
  compare('y', y as Tensor, group.tensor(at(testCase, 'out', 'y')));
  const grad = objectOf(at(testCase, 'grad'));
  expect(Object.keys(grad).sort()).toEqual([...names].sort());
  for (const [name, ref] of Object.entries(grad))
    compare(`grad.${name}`, gradients[names.indexOf(name)]!, group.tensor(ref));
};

const check = (testCase: GoldenCase, group: GoldenGroup): void => {
  const op = stringOf(at(testCase, 'op'));
  if (missing.includes(op)) throw new Missing(`there is no ${op} yet`);
  const convolve = Object.hasOwn(operations, op) ? operations[op]! : unknownCase('operation', op);
  for (const dtype of ['float32', 'float64'] as const) checkIn(dtype, testCase, group, convolve);
};

const suite = selected('ops_conv') ? describe : describe.skip;

suite('ops_conv', () => {
  for (const { title, run } of goldenTests('ops_conv', check)) {
    it(title, async ({ skip }) => {
      try {
        await run();
      } catch (error) {
        if (error instanceof Missing) skip(error.message);
        throw error;
      }
    });
  }
});
