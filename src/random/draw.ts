/** Drawing from keys. Every element depends on its key and its own index alone. */
import { b } from '../tensor/build.js';
import type { DType, FloatDType } from '../tensor/dtype.js';
import type { Node } from '../tensor/graph.js';
import { plus, times } from '../tensor/ops/common/numbers.js';
import {
  broadcastNode,
  castNode,
  checkSetting,
  isWeakNumber,
  nodeFor,
  unaryOperand,
} from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import type { OneAxis } from '../tensor/ops/reduction/reducing.js';
import { full, scalar } from '../tensor/primitives/full.js';
import {
  broadcastShapes,
  checkArgument,
  checkInteger,
  checkShape,
  normalizeAxis,
  type Shape,
  showAval,
} from '../tensor/shape.js';
import type { Broadcast, Fit, Ok } from '../tensor/shape-types.js';
import { isTensor, nodeOf, type Tensor, wrap } from '../tensor/tensor.js';
import type { Reduce } from '../tensor/types/axes.js';
import type { ShapeOf } from '../tensor/types/operands.js';
import { drawWords, foldIn, type Key, keyNode, type LayoutOptions, layoutOf, originalWords } from './key.js';
import type { Parameter } from './parameters.js';
import { checkFloatDType, openUnit } from './parameters.js';

/** Options of draws of floats. */
export interface FloatOptions<D extends FloatDType = FloatDType> {
  /** Default float32. */
  readonly dtype?: D;
}

/**
 * Uniform 32-bit words.
 *
 * @param shape of the result
 * @param options `layout: 'original'` gives JAX's first layout
 * @returns uint32 of that shape
 * @throws ArgumentError when `key` is no key or there is no such layout, ShapeError when `shape` is no shape
 * @example
 * ```js
 * import { bits, key } from 'tenfold/random';
 * bits(key(1701), [3], { layout: 'original' }).toArray(); // => [0x0359804b, 0xfa5a4f68, 0x394c6c7f]
 * ```
 */
export const bits = <const S extends Shape>(key: Key, shape: S, options: LayoutOptions = {}): Tensor<S, 'uint32'> => {
  const node = keyNode('bits', key);
  const layout = layoutOf('bits', options);
  const size = checkShape('bits', shape);
  return wrap(layout === 'original' ? originalWords(node, size) : drawWords(node, size, 'xor'));
};

const shiftRight = (words: Node, by: number): Node => b.shiftRightLogical(words, full(b, words, by));

/** Uniform in [0, 1): 24 random bits in float32, 53 in float64. */
const unit = (key: Node, shape: Shape, dtype: FloatDType): Node => {
  if (dtype === 'float32') return times(castNode(shiftRight(drawWords(key, shape, 'xor'), 8), dtype), 2 ** -24);
  const high = times(castNode(shiftRight(drawWords(key, shape, 0), 5), dtype), 2 ** 26);
  const low = castNode(shiftRight(drawWords(key, shape, 1), 6), dtype);
  return times(b.add(high, low), 2 ** -53);
};

/**
 * Uniform numbers in [low, high): 24 random bits in float32, 53 in float64.
 *
 * @param shape of the result
 * @param options `low` (0), `high` (1), `dtype` (float32)
 * @throws ArgumentError when `key` is no key, low > high, or a bound or their distance is not finite in the dtype; ShapeError
 *   when `shape` is no shape
 * @example
 * ```js
 * import { key, uniform } from 'tenfold/random';
 * uniform(key(0), [2, 3]).shape; // => [2, 3]
 * ```
 */
export const uniform = <const S extends Shape, D extends FloatDType = 'float32'>(
  key: Key,
  shape: S,
  options: FloatOptions<D> & { readonly low?: number; readonly high?: number } = {},
): Tensor<S, NoInfer<D>> => {
  const node = keyNode('uniform', key);
  checkOptions('uniform', ['low', 'high', 'dtype'], options);
  const { low = 0, high = 1, dtype = 'float32' } = options;
  for (const bound of [low, high]) checkSetting('uniform', 'a bound', bound);
  checkArgument(
    Number.isFinite(low) && Number.isFinite(high) && low <= high,
    'uniform',
    `low ${String(low)} and high ${String(high)}`,
    'the bounds are finite numbers, low ≤ high',
    'Swap them, or draw from [0, 1) and transform the result.',
  );
  const held = dtype === 'float32' ? Math.fround : (x: number): number => x;
  checkArgument(
    [low, high, high - low].every(x => Number.isFinite(held(x))),
    'uniform',
    `low ${low} and high ${high}`,
    `${dtype} holds the bounds and their distance`,
    dtype === 'float32' ? "Draw with { dtype: 'float64' }, or scale the result." : 'Scale the result.',
  );
  const u = unit(node, checkShape('uniform', shape), checkFloatDType('uniform', dtype));
  if (low === 0 && high === 1) return wrap(u);
  // Rounding may reach `high` itself; the draw is from a half-open interval.
  const scaled = plus(times(u, high - low), low);
  const below = full(
    b,
    scaled,
    high - (Math.max(Math.abs(low), Math.abs(high)) || 1) * (dtype === 'float32' ? 2 ** -24 : 2 ** -53),
  );
  return wrap(b.max(b.min(scaled, below), full(b, scaled, low)));
};

/**
 * Standard normal numbers, by Box and Muller's transform (Annals of Mathematical Statistics 29, 1958): the two
 * words of an element's own block give its radius and its angle.
 *
 * @param shape of the result
 * @param options `dtype` (float32)
 * @throws ArgumentError when `key` is no key, ShapeError when `shape` is no shape
 * @example
 * ```js
 * import { key, normal } from 'tenfold/random';
 * normal(key(0), [4]).dtype; // => 'float32'
 * ```
 */
export const normal = <const S extends Shape, D extends FloatDType = 'float32'>(
  key: Key,
  shape: S,
  options: FloatOptions<D> = {},
): Tensor<S, NoInfer<D>> => {
  const node = keyNode('normal', key);
  checkOptions('normal', ['dtype'], options);
  const size = checkShape('normal', shape);
  const dtype = checkFloatDType('normal', options.dtype ?? 'float32');
  // (w + ½)·2⁻³² is never 0, so the logarithm is finite; all 32 bits keep the tails.
  const radiusUnit = times(plus(castNode(drawWords(node, size, 0), dtype), 0.5), 2 ** -32);
  const turn = times(castNode(shiftRight(drawWords(node, size, 1), 8), dtype), 2 ** -24);
  const radius = b.sqrt(times(b.log(radiusUnit), -2));
  return wrap(b.mul(radius, b.cos(times(turn, 2 * Math.PI))));
};

/** The high word of x·y for 32-bit words, by 16-bit limbs: integers only, so it is the same on every backend. */
const multiplyHigh = (x: Node, y: Node): Node => {
  const low = (w: Node): Node => b.and(w, full(b, w, 0xffff));
  const high = (w: Node): Node => shiftRight(w, 16);
  const [x0, x1, y0, y1] = [low(x), high(x), low(y), high(y)];
  const middle = b.add(b.mul(x1, y0), high(b.mul(x0, y0)));
  const cross = b.add(b.mul(x0, y1), low(middle));
  return b.add(b.add(b.mul(x1, y1), high(middle)), high(cross));
};

/**
 * Uniform integers in [low, high). From 64 random bits an element, so the bias is below 2⁻³².
 *
 * @param shape of the result
 * @param low smallest value, an int32
 * @param high one beyond the largest, at most 2³¹
 * @returns int32 of that shape
 * @throws ArgumentError when `key` is no key or the interval is empty, IndexError when a bound is no such integer
 * @example
 * ```js
 * import { key, randint } from 'tenfold/random';
 * randint(key(3), [5], 0, 10).dtype; // => 'int32'
 * ```
 */
export const randint = <const S extends Shape>(key: Key, shape: S, low: number, high: number): Tensor<S, 'int32'> => {
  const node = keyNode('randint', key);
  const size = checkShape('randint', shape);
  checkInteger('randint', 'low', low, -(2 ** 31), 2 ** 31 - 1);
  checkInteger('randint', 'high', high, -(2 ** 31), 2 ** 31);
  checkArgument(
    low < high,
    'randint',
    `low ${low} and high ${high}`,
    'low < high',
    'high is one beyond the largest value.',
  );
  const words = drawWords(node, size, 0);
  // All of int32: a span of 2³² is no 32-bit word, and every word is a draw as it is.
  if (high - low === 2 ** 32) return wrap(castNode(words, 'int32'));
  const span = full(b, words, high - low);
  // ⌊(w₀·2³² + w₁)·span / 2⁶⁴⌋: the high word of w₀·span, plus the carry out of the word below.
  const below = b.mul(words, span);
  const sum = b.add(below, multiplyHigh(drawWords(node, size, 1), span));
  const carry = castNode(b.lt(sum, below), 'uint32');
  const offset = b.add(multiplyHigh(words, span), carry);
  return wrap(b.add(castNode(offset, 'int32'), full(b, { shape: size, dtype: 'int32' }, low)));
};

/** The shape of what a probability and the shape that is asked for broadcast to. */
type Spread<P, S extends Shape> = [P] extends [number] ? S : Broadcast<'bernoulli', ShapeOf<P>, S>;

/**
 * true with probability p.
 *
 * @param p a number, or a tensor of probabilities that broadcasts to the shape
 * @param shape of the result; default the shape of p
 * @returns bool of that shape
 * @throws ArgumentError when `key` is no key or the number no probability, ShapeError when p does not broadcast to the shape
 * @example
 * ```js
 * import { bernoulli, key } from 'tenfold/random';
 * bernoulli(key(0), 1, [3]).toArray(); // => [true, true, true]
 * ```
 */
export const bernoulli = <P extends Parameter, const S extends Shape = ShapeOf<P>>(
  key: Key,
  p: P,
  shape?: S & Ok<Spread<P, S>>,
): Tensor<Fit<Spread<P, S>>, 'bool'> => {
  const node = keyNode('bernoulli', key);
  if (!isTensor(p)) {
    checkArgument(
      typeof p === 'number' && p >= 0 && p <= 1,
      'bernoulli',
      `the probability ${String(p)}`,
      'a probability is a number from 0 to 1, or a tensor of them',
      'Use sigmoid for logits.',
    );
  }
  const probability = typeof p === 'number' ? scalar(b, p, 'float32') : unaryOperand('bernoulli', p, { toFloat: true });
  const size = broadcastShapes('bernoulli', probability.shape, checkShape('bernoulli', shape ?? probability.shape));
  const u = unit(node, size, checkFloatDType('bernoulli', probability.dtype));
  return wrap(b.lt(u, broadcastNode(probability, size)));
};

/**
 * A random order of 0 … n − 1, or the elements of `x` along its first axis in random order.
 *
 * Sorts by random words, several times over, so that ties cannot be felt.
 *
 * @param x how many, or a tensor
 * @returns int32 of shape [n], or a tensor like x
 * @throws ArgumentError when `key` is no key, ShapeError when x is a scalar tensor
 * @example
 * ```js
 * import { sort } from 'tenfold';
 * import { key, permutation } from 'tenfold/random';
 * sort(permutation(key(0), 4)).toArray(); // => [0, 1, 2, 3]
 * ```
 */
export const permutation: Permutation = ((key: Key, x: number | Tensor) => {
  keyNode('permutation', key);
  if (isWeakNumber(x)) checkSetting('permutation', 'the count', x);
  const values = typeof x === 'number' ? indices(x) : nodeFor('permutation', x);
  checkArgument(
    values.shape.length > 0,
    'permutation',
    showAval(values),
    'it permutes the first axis',
    'Pass a vector, or a count.',
  );
  const length = values.shape[0]!;
  // As many sorts as make a tie in all of them less likely than 1 in length³, as JAX does.
  const rounds = length < 2 ? 0 : Math.ceil((3 * Math.log(length)) / Math.log(2 ** 32 - 1));
  let order = indices(length);
  for (let round = 0; round < rounds; round++) {
    const words = drawWords(nodeOf(foldIn(key, round)), [length], 'xor');
    order = b.gather(order, b.argsort(words, { axis: 0 }), { axis: 0 });
  }
  return wrap(typeof x === 'number' ? order : b.gather(values, order, { axis: 0 }));
}) as Permutation;

/** The signatures of {@link permutation}. */
export interface Permutation {
  <const N extends number>(key: Key, count: N): Tensor<readonly [N], 'int32'>;
  <S extends Shape, D extends DType>(key: Key, x: Tensor<S, D>): Tensor<S, D>;
}

const indices = (count: number): Node => {
  checkInteger('permutation', 'the count', count, 0, 2 ** 31 - 1);
  return b.iota({ shape: [count], dtype: 'int32', axis: 0 });
};

/**
 * Indices drawn with probabilities softmax(logits) along an axis, by the Gumbel-max trick (Gumbel 1954;
 * Maddison, Tarlow, Minka 2014, arXiv:1411.0030).
 *
 * @param logits unnormalised log-probabilities; −∞ is never drawn
 * @param options `axis` (−1); `shape` of the draws put in front (none)
 * @returns int32: `shape`, then the shape of the logits without the axis
 * @throws ArgumentError when `key` is no key or logits no tensor, AxisError when it has no such axis
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { categorical, key } from 'tenfold/random';
 * categorical(key(0), tensor([-Infinity, 0, -Infinity]), { shape: [2] }).toArray(); // => [1, 1]
 * ```
 */
export const categorical = <S extends Shape, const A extends number = -1, const N extends Shape = readonly []>(
  key: Key,
  logits: Tensor<S>,
  options: OneAxis<A> & { readonly shape?: N } & Ok<Reduce<'categorical', S, A>> = {} as never,
): Tensor<readonly [...N, ...Fit<Reduce<'categorical', S, A>>], 'int32'> => {
  const node = keyNode('categorical', key);
  checkOptions('categorical', ['axis', 'shape'], options);
  const { axis = -1, shape = [] } = options;
  const scores = unaryOperand('categorical', logits, { toFloat: true });
  const at = normalizeAxis('categorical', axis, scores.shape);
  const size = [...checkShape('categorical', shape), ...scores.shape];
  const dtype = checkFloatDType('categorical', scores.dtype);
  // Strictly between 0 and 1, so that both logarithms are finite.
  const gumbel = b.neg(b.log(b.neg(b.log(openUnit(node, size, dtype)))));
  return wrap(b.argmax(b.add(broadcastNode(scores, size), gumbel), { axes: [shape.length + at] }));
};
