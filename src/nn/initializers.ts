/**
 * First values of parameters. A parameter of layers is [outputs, inputs, …kernel]; of that of a transposed convolution, [inputs,
 * outputs, …kernel], the axes count as PyTorch counts them, the second as the inputs.
 */
import { normal, uniform } from '../random/draw.js';
import { type Key, keyNode } from '../random/key.js';
import { truncatedNormal } from '../random/truncated.js';
import { ShapeError } from '../tensor/errors.js';
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { add, mul } from '../tensor/ops/elementwise/arithmetic.js';
import { qr } from '../tensor/ops/linalg/qr.js';
import { reshape, transpose } from '../tensor/ops/movement/movement.js';
import { checkArgument, checkShape, type Shape, showShape, sizeOf } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** Options of {@link xavierUniform}, {@link xavierNormal} and {@link orthogonal}. */
export interface GainOptions {
  /** A factor. Default 1. */
  readonly gain?: number;
}

/** Options of {@link kaimingUniform} and {@link kaimingNormal}. */
export interface KaimingOptions {
  /** A factor; √2 (the default) for relu, 1 for none, 1/√3 for PyTorch's default of linear layers and convolutions. */
  readonly gain?: number;
  /** Whether the variance stays on the way forwards, from the inputs, or on the way back. Default `'inputs'`. */
  readonly fan?: 'inputs' | 'outputs';
}

/** Options of {@link truncNormal}. */
export interface TruncNormalOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Before values beyond the bounds are left out. Default 1. */
  readonly std?: number;
  /** The smallest value. Default −2. */
  readonly low?: number;
  /** The largest value. Default 2. */
  readonly high?: number;
}

/** How many inputs an output has, and how many outputs an input. */
const fansOf = (operation: string, shape: Shape): readonly [inputs: number, outputs: number] => {
  const checked = checkShape(operation, shape);
  if (checked.length > 1 && sizeOf(checked) > 0) {
    const [outputs, inputs, ...kernel] = checked as readonly [number, number, ...number[]];
    return [inputs * sizeOf(kernel), outputs * sizeOf(kernel)];
  }
  throw new ShapeError({
    operation,
    given: showShape(checked),
    rule: 'a parameter is [outputs, inputs, …kernel], none of them 0',
    hint: 'Vectors, as biases, start at zero.',
  });
};

const gainOf = (operation: string, options: object, usual: number): number => {
  const { gain = usual } = options as GainOptions;
  return checkNumber(operation, 'gain', gain, 'positive');
};

type Draw = <S extends Shape>(key: Key, shape: S, std: number) => Tensor<S, 'float32'>;

/** Uniform numbers of a standard deviation. */
const uniformOf: Draw = (key, shape, std) =>
  uniform(key, shape, { low: -std * Math.sqrt(3), high: std * Math.sqrt(3) });

/** Normal ones. */
const normalOf: Draw = (key, shape, std) => mul(normal(key, shape), std) as never;

/** Normal ones without those beyond two standard deviations, the rest being spread out to have the one that is asked for. */
const cutOf: Draw = (key, shape, std) =>
  mul(truncatedNormal(key, -2, 2, { shape }), std / 0.879_625_661_034_239_8) as never;

const kaiming =
  (operation: string, draw: Draw) =>
  <const S extends Shape>(key: Key, shape: S, options: KaimingOptions = {}): Tensor<S, 'float32'> => {
    keyNode(operation, key);
    checkOptions(operation, ['gain', 'fan'], options);
    const { fan = 'inputs' } = options;
    checkArgument(
      fan === 'inputs' || fan === 'outputs',
      operation,
      `fan: ${String(fan)}`,
      "the fan is 'inputs' or 'outputs'",
      "Leave it out for 'inputs'.",
    );
    const [inputs, outputs] = fansOf(operation, shape);
    return draw(key, shape, gainOf(operation, options, Math.SQRT2) / Math.sqrt(fan === 'inputs' ? inputs : outputs));
  };

const xavier =
  (operation: string, draw: Draw) =>
  <const S extends Shape>(key: Key, shape: S, options: GainOptions = {}): Tensor<S, 'float32'> => {
    keyNode(operation, key);
    checkOptions(operation, ['gain'], options);
    const [inputs, outputs] = fansOf(operation, shape);
    return draw(key, shape, gainOf(operation, options, 1) * Math.sqrt(2 / (inputs + outputs)));
  };

const lecun =
  (operation: string, draw: Draw) =>
  <const S extends Shape>(key: Key, shape: S): Tensor<S, 'float32'> => {
    keyNode(operation, key);
    return draw(key, shape, 1 / Math.sqrt(fansOf(operation, shape)[0]));
  };

/**
 * Uniform numbers with the standard deviation `gain / √fan`, which for `gain` √2 keeps the variance through layers with relu
 * (He, Zhang, Ren, Sun 2015, arXiv:1502.01852).
 *
 * @param shape [outputs, inputs, …kernel]; of a transposed convolution the axes are the other way round, and so is `fan`, as in
 *   PyTorch
 * @param options `gain` (√2; 1/√3 gives PyTorch's first parameters of linear layers and convolutions), `fan` (`'inputs'`, or
 *   `'outputs'`)
 * @returns float32 of that shape
 * @throws ArgumentError when `key` is no key and for a wrong or unknown option, ShapeError for less than two axes
 * @numpy jax.nn.initializers.he_uniform
 * @pytorch torch.nn.init.kaiming_uniform_
 * @example
 * ```js
 * import { kaimingUniform, linear } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const params = { ...linear(24, 8).init(key(0)), weight: kaimingUniform(key(1), [8, 24]) };
 * params.weight.shape; // => [8, 24]
 * ```
 */
export const kaimingUniform: <const S extends Shape>(
  key: Key,
  shape: S,
  options?: KaimingOptions,
) => Tensor<S, 'float32'> = kaiming('kaimingUniform', uniformOf);

/**
 * Normal numbers with the standard deviation `gain / √fan`. See {@link kaimingUniform}.
 *
 * @param shape [outputs, inputs, …kernel]
 * @param options `gain` (√2), `fan` (`'inputs'`, or `'outputs'`)
 * @returns float32 of that shape
 * @throws as {@link kaimingUniform}
 * @numpy jax.nn.initializers.he_normal
 * @pytorch torch.nn.init.kaiming_normal_
 * @example
 * ```js
 * import { kaimingNormal } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * kaimingNormal(key(0), [16, 8, 3, 3], { fan: 'outputs' }).shape; // => [16, 8, 3, 3]
 * ```
 */
export const kaimingNormal: <const S extends Shape>(
  key: Key,
  shape: S,
  options?: KaimingOptions,
) => Tensor<S, 'float32'> = kaiming('kaimingNormal', normalOf);

/**
 * Uniform numbers with the standard deviation `gain · √(2 / (inputs + outputs))`, between keeping the variance forwards and on
 * the way back (Glorot, Bengio 2010, AISTATS).
 *
 * @param shape [outputs, inputs, …kernel]
 * @param options `gain` (1; 5/3 is usual for tanh)
 * @returns float32 of that shape
 * @throws ArgumentError when `key` is no key and for a wrong or unknown option, ShapeError for less than two axes
 * @numpy jax.nn.initializers.glorot_uniform
 * @pytorch torch.nn.init.xavier_uniform_
 * @example
 * ```js
 * import { xavierUniform } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * xavierUniform(key(0), [8, 24]).dtype; // => 'float32'
 * ```
 */
export const xavierUniform: <const S extends Shape>(key: Key, shape: S, options?: GainOptions) => Tensor<S, 'float32'> =
  xavier('xavierUniform', uniformOf);

/**
 * Normal numbers with the standard deviation `gain · √(2 / (inputs + outputs))`. See {@link xavierUniform}.
 *
 * @param shape [outputs, inputs, …kernel]
 * @param options `gain` (1)
 * @returns float32 of that shape
 * @throws as {@link xavierUniform}
 * @numpy jax.nn.initializers.glorot_normal
 * @pytorch torch.nn.init.xavier_normal_
 * @example
 * ```js
 * import { xavierNormal } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * xavierNormal(key(0), [8, 24], { gain: 5 / 3 }).shape; // => [8, 24]
 * ```
 */
export const xavierNormal: <const S extends Shape>(key: Key, shape: S, options?: GainOptions) => Tensor<S, 'float32'> =
  xavier('xavierNormal', normalOf);

/**
 * Uniform numbers with the standard deviation 1/√inputs (LeCun, Bottou, Orr, Müller 1998, "Efficient BackProp").
 *
 * @param shape [outputs, inputs, …kernel]
 * @returns float32 of that shape
 * @throws ArgumentError when `key` is no key, ShapeError for less than two axes
 * @numpy jax.nn.initializers.lecun_uniform
 * @pytorch —
 * @example
 * ```js
 * import { lecunUniform } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * lecunUniform(key(0), [8, 24]).shape; // => [8, 24]
 * ```
 */
export const lecunUniform: <const S extends Shape>(key: Key, shape: S) => Tensor<S, 'float32'> = lecun(
  'lecunUniform',
  uniformOf,
);

/**
 * Normal numbers with the standard deviation 1/√inputs, none of them far out: as in JAX those beyond two standard deviations are
 * left out, and the others made larger. See {@link lecunUniform}.
 *
 * @param shape [outputs, inputs, …kernel]
 * @returns float32 of that shape
 * @throws as {@link lecunUniform}
 * @numpy jax.nn.initializers.lecun_normal
 * @pytorch —
 * @example
 * ```js
 * import { lecunNormal } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * lecunNormal(key(0), [8, 24]).shape; // => [8, 24]
 * ```
 */
export const lecunNormal: <const S extends Shape>(key: Key, shape: S) => Tensor<S, 'float32'> = lecun(
  'lecunNormal',
  cutOf,
);

/**
 * A matrix with orthonormal rows or columns, whichever are fewer, any of them being as likely as another (Saxe, McClelland,
 * Ganguli 2013, arXiv:1312.6120). All axes but the first count as one.
 *
 * @param shape [outputs, inputs, …kernel]
 * @param options `gain` (1), a factor
 * @returns float32 of that shape
 * @throws ArgumentError when `key` is no key and for a wrong or unknown option, ShapeError for less than two axes
 * @numpy jax.nn.initializers.orthogonal
 * @pytorch torch.nn.init.orthogonal_
 * @example
 * ```js
 * import { allClose, eye, matmul, transpose } from 'tenfold';
 * import { orthogonal } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const w = orthogonal(key(0), [3, 5]);
 * allClose(matmul(w, transpose(w)), eye(3), { atol: 1e-6 }).item(); // => true
 * ```
 */
export const orthogonal = <const S extends Shape>(
  key: Key,
  shape: S,
  options: GainOptions = {},
): Tensor<S, 'float32'> => {
  keyNode('orthogonal', key);
  checkOptions('orthogonal', ['gain'], options);
  const gain = gainOf('orthogonal', options, 1);
  fansOf('orthogonal', shape);
  const [rows, columns] = [shape[0]!, sizeOf(shape.slice(1))];
  const isWide = rows < columns;
  const { q } = qr(normal(key, isWide ? [columns, rows] : [rows, columns]) as Tensor) as { readonly q: Tensor };
  return mul(reshape(isWide ? transpose(q) : q, shape) as Tensor, gain) as never;
};

/**
 * Normal numbers between two bounds.
 *
 * @param shape of the result
 * @param options `mean` (0), `std` (1) of the numbers before they are cut off, `low` (−2), `high` (2)
 * @returns float32 of that shape
 * @throws ArgumentError when `key` is no key and for wrong or unknown options, ShapeError when `shape` is no shape
 * @numpy jax.nn.initializers.truncated_normal
 * @pytorch torch.nn.init.trunc_normal_
 * @example
 * ```js
 * import { truncNormal } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * truncNormal(key(0), [8, 24], { std: 0.02 }).shape; // => [8, 24]
 * ```
 */
export const truncNormal = <const S extends Shape>(
  key: Key,
  shape: S,
  options: TruncNormalOptions = {},
): Tensor<S, 'float32'> => {
  keyNode('truncNormal', key);
  checkOptions('truncNormal', ['mean', 'std', 'low', 'high'], options);
  const { mean = 0, std = 1, low = -2, high = 2 } = options;
  checkNumber('truncNormal', 'mean', mean);
  checkNumber('truncNormal', 'std', std, 'positive');
  checkNumber('truncNormal', 'low', low);
  checkNumber('truncNormal', 'high', high);
  checkArgument(
    low <= high && [mean, std].every(Number.isFinite),
    'truncNormal',
    `mean ${mean}, std ${std} and the bounds ${low} and ${high}`,
    'mean and std are finite, and the lower bound is not above the upper one',
    'Swap the bounds.',
  );
  const checked = checkShape('truncNormal', shape);
  const draw = truncatedNormal(key, (low - mean) / std, (high - mean) / std, { shape: checked });
  return add(mul(draw, std) as Tensor, mean) as never;
};
