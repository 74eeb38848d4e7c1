/** Gamma numbers and what is made of them. Derivatives are those of the quantiles, by implicit differentiation. */
import { b } from '../tensor/build.js';
import type { FloatDType } from '../tensor/dtype.js';
import { AxisError } from '../tensor/errors.js';
import type { Node } from '../tensor/graph.js';
import { plus, times } from '../tensor/ops/common/numbers.js';
import { broadcastNode, castNode, nodeFor } from '../tensor/ops/common/operands.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { full } from '../tensor/primitives/full.js';
import { type Shape, showAval } from '../tensor/shape.js';
import type { Fit, Ok } from '../tensor/shape-types.js';
import { isTensor, nodeOf, type Tensor, wrap } from '../tensor/tensor.js';
import { customJvp } from '../tensor/transform/custom.js';
import { fold } from '../tensor/transform/loops.js';
import type { ShapeOf } from '../tensor/types/operands.js';
import { normal } from './draw.js';
import { asKey, type Key } from './key.js';
import { type DrawOptions, openUnit, type Parameter, parametersOf, positive } from './parameters.js';
import { subkey, untilAccepted } from './rejection.js';
import type { Drawn, DTypeOf, ShapeOfBoth } from './shapes.js';

/**
 * log x for x of concentrations ≥ 1: Marsaglia, Tsang: "A simple method for generating gamma variables", ACM Transactions on
 * Mathematical Software 26, 2000.
 */
const logOfLarge = (key: Node, a: Node): Node => {
  if (a.shape.includes(0)) return a;
  const { shape } = a;
  const dtype = a.dtype as 'float32' | 'float64';
  const d = plus(a, -1 / 3);
  const c = b.rsqrt(times(d, 9));
  // What is no number is its own result.
  return untilAccepted(subkey(key, 1), b.eq(a, a), full(b, a, Number.NaN), own => {
    const z = nodeOf(normal(asKey(subkey(own, 0)), shape, { dtype }));
    const u = openUnit(subkey(own, 1), shape, dtype);
    const root = plus(b.mul(c, z), 1);
    const logV = times(b.log(root), 3);
    const v = b.mul(root, b.mul(root, root));
    // log u < z²/2 + d − d·v + d·log v; a root that is not positive gives NaN, which is less than nothing.
    const bound = b.add(times(b.mul(z, z), 0.5), b.mul(d, b.add(plus(b.neg(v), 1), logV)));
    return { value: b.add(b.log(d), logV), accepted: b.lt(b.log(u), bound) };
  });
};

/** log x for x of these concentrations; no derivative. Below 1: x = y·u^(1/a) with y of concentration a + 1. */
const logSample = (key: Node, a: Node): Node => {
  const zero = full(b, a, 0);
  const valid = b.select(b.gt(a, zero), a, full(b, a, Number.NaN));
  const small = b.lt(valid, full(b, a, 1));
  const large = logOfLarge(key, b.select(small, plus(valid, 1), valid));
  const u = openUnit(subkey(key, 0), a.shape, a.dtype as 'float32' | 'float64');
  return b.select(small, b.add(large, b.div(b.log(u), valid)), large);
};

/** Nodes and weights of ∫₀^∞ f(s) ds for f that falls exponentially, by s = exp(τ − e^−τ) and the rule of trapezoids. */
const rule = (): { readonly s: Tensor; readonly w: Tensor } => {
  const step = 1 / 32;
  const taus = Array.from({ length: 240 }, (_, i) => -3.5 + i * step);
  const s = taus.map(tau => Math.exp(tau - Math.exp(-tau)));
  const w = taus.map((tau, i) => step * s[i]! * (1 + Math.exp(-tau)));
  return { s: tensor(s, { dtype: 'float64' }), w: tensor(w, { dtype: 'float64' }) };
};

/**
 * d log x / da at a fixed quantile: −(∂F/∂a) / (x·p(x)). With t = x·eᵛ,
 *
 *   ∂F/∂a / (x·p(x)) = ∫ (log x + v − ψ(a)) exp(a·v − x·(eᵛ − 1)) dv over v < 0,
 *
 * which is −1 times the same over v > 0: the side with the smaller part of the mass is taken, so that nothing cancels in
 * the tails.
 */
const slope = (logX: Node, a: Node): Node => {
  const wide = castNode(a, 'float64');
  const log = castNode(logX, 'float64');
  const x = b.exp(log);
  const side = b.select(b.le(x, wide), full(b, wide, -1), full(b, wide, 1));
  const scale = b.mul(side, b.add(b.rsqrt(wide), b.div(full(b, wide, 1), wide)));
  const offset = b.sub(log, b.polygamma(wide, { order: 0 }));
  const total = fold((sum: Tensor, { s, w }: { readonly s: Tensor; readonly w: Tensor }): Tensor => {
    const v = b.mul(scale, broadcastNode(nodeOf(s), wide.shape));
    const weight = b.mul(b.exp(b.sub(b.mul(wide, v), b.mul(x, b.expm1(v)))), broadcastNode(nodeOf(w), wide.shape));
    return wrap(b.add(nodeOf(sum), b.mul(b.add(offset, v), weight)));
  })(wrap(full(b, wide, 0)), rule());
  return castNode(b.mul(scale, nodeOf(total)), a.dtype as 'float32' | 'float64');
};

/** A sample with its derivative (Figurnov, Mohamed, Mnih: "Implicit reparameterization gradients", arXiv:1805.08498). */
const implicit: (logX: Tensor, a: Tensor) => Tensor = customJvp(
  (logX: Tensor, _a: Tensor): Tensor => logX,
  ([logX, a], [, direction]) => {
    const at = implicit(logX, a);
    return [at, wrap(b.mul(slope(nodeOf(at), nodeOf(a)), nodeOf(direction as Tensor)))];
  },
);

/** log x for x of these concentrations. */
const logGamma = (key: Node, a: Node): Node =>
  nodeOf(implicit(wrap(b.stopGradient(logSample(key, b.stopGradient(a)))), wrap(a)));

/**
 * Gamma numbers of scale 1: density x^(a−1) e⁻ˣ / Γ(a), by Marsaglia and Tsang's method. Differentiable in the
 * concentration: the derivative is that of the quantile which the element is.
 *
 * @param concentration a > 0, a number or a tensor; where it is not positive or NaN, the element is NaN
 * @param options `shape` (that of the concentration), `dtype` (its dtype, float32 for a number)
 * @throws ArgumentError when `key` is no key or the number not positive, ShapeError when the concentration does not
 *   broadcast to the shape, DTypeError for another dtype
 * @example
 * ```js
 * import { gamma, key } from 'tenfold/random';
 * gamma(key(0), 2.5, { shape: [3, 2] }).shape; // => [3, 2]
 * ```
 */
export const gamma = <P extends Parameter, const S extends Shape = ShapeOf<P>, D extends FloatDType = DTypeOf<P>>(
  key: Key,
  concentration: P & Ok<Drawn<'gamma', ShapeOf<P>, NoInfer<S>>>,
  options: DrawOptions<S, D> = {},
): Tensor<S, NoInfer<D>> => {
  const named = [{ name: 'concentration', value: concentration, ...positive }];
  const { key: node, nodes } = parametersOf('gamma', key, named, options);
  return wrap(b.exp(logGamma(node, nodes[0]!)));
};

/**
 * Beta numbers: density proportional to x^(a−1) (1−x)^(b−1) on (0, 1), as g / (g + h) of two gamma numbers, in logarithms so
 * that small concentrations do no harm. Differentiable in both.
 *
 * @param alpha a > 0, a number or a tensor; where it is not positive or NaN, the element is NaN
 * @param beta b > 0, likewise
 * @param options `shape` (that the two broadcast to), `dtype` (theirs, float32 for numbers)
 * @throws ArgumentError when `key` is no key or a number not positive, ShapeError when the parameters do not broadcast to the
 *   shape, DTypeError for another dtype
 * @example
 * ```js
 * import { beta, key } from 'tenfold/random';
 * beta(key(0), 2, 3, { shape: [4] }).shape; // => [4]
 * ```
 */
export const beta = <
  P extends Parameter,
  Q extends Parameter,
  const S extends Shape = Fit<ShapeOfBoth<'beta', P, Q>>,
  D extends FloatDType = DTypeOf<P, Q>,
>(
  key: Key,
  alpha: P,
  betaOf: Q & Ok<Drawn<'beta', ShapeOfBoth<'beta', P, Q>, NoInfer<S>>>,
  options: DrawOptions<S, D> = {},
): Tensor<S, NoInfer<D>> => {
  const named = [
    { name: 'first concentration', value: alpha, ...positive },
    { name: 'second concentration', value: betaOf, ...positive },
  ];
  const { key: node, nodes } = parametersOf('beta', key, named, options);
  const [first, second] = [0, 1].map(i => logGamma(subkey(node, i), nodes[i]!));
  return wrap(b.sigmoid(b.sub(first!, second!)));
};

/**
 * Dirichlet vectors along the last axis: gamma numbers divided by their sum, in logarithms so that small concentrations do
 * no harm. Differentiable in the concentrations.
 *
 * @param concentration a tensor of positive numbers, its last axis that of a vector; where one is not positive or NaN, the
 *   vector is NaN
 * @param options `shape` of the result, the last axis included (that of the concentrations); `dtype` (theirs)
 * @throws ArgumentError when `key` is no key or the concentration no tensor, AxisError when it is a scalar, ShapeError when it
 *   does not broadcast to the shape, DTypeError for another dtype
 * @example
 * ```js
 * import { ones } from 'tenfold';
 * import { dirichlet, key } from 'tenfold/random';
 * dirichlet(key(0), ones([3]), { shape: [5, 3] }).shape; // => [5, 3]
 * ```
 */
export const dirichlet = <P extends Tensor, const S extends Shape = ShapeOf<P>, D extends FloatDType = DTypeOf<P>>(
  key: Key,
  concentration: P & Ok<Drawn<'dirichlet', ShapeOf<P>, NoInfer<S>>>,
  options: DrawOptions<S, D> = {},
): Tensor<S, NoInfer<D>> => {
  const given = isTensor(concentration) ? concentration : wrap(nodeFor('dirichlet', concentration));
  const named = [{ name: 'concentration', value: given, ...positive }];
  const { key: node, nodes } = parametersOf('dirichlet', key, named, options);
  const a = nodes[0]!;
  if (nodeOf(given).shape.length === 0) {
    throw new AxisError({
      operation: 'dirichlet',
      given: showAval(nodeOf(given)),
      rule: 'the concentrations of a vector lie along the last axis',
      hint: 'Give a tensor of one axis or more.',
    });
  }
  const logs = logGamma(node, a);
  const axes = [a.shape.length - 1];
  const kept: Shape = [...a.shape.slice(0, -1), 1];
  const spread = (x: Node): Node => broadcastNode(b.reshape(x, { shape: kept }), a.shape);
  if (a.shape.includes(0)) return wrap(logs);
  const parts = b.exp(b.sub(logs, b.stopGradient(spread(b.reduceMax(logs, { axes })))));
  return wrap(b.div(parts, spread(b.sum(parts, { axes }))));
};

/**
 * Numbers of Student's t distribution: z·√(ν / 2g) with z normal and g gamma of concentration ν/2. Differentiable in ν.
 *
 * @param df the degrees of freedom ν > 0, a number or a tensor; where it is not positive or NaN, the element is NaN
 * @param options `shape` (that of df), `dtype` (its dtype, float32 for a number)
 * @throws ArgumentError when `key` is no key or the number not positive, ShapeError when df does not broadcast to the shape,
 *   DTypeError for another dtype
 * @example
 * ```js
 * import { key, studentT } from 'tenfold/random';
 * studentT(key(0), 4, { shape: [10] }).shape; // => [10]
 * ```
 */
export const studentT = <P extends Parameter, const S extends Shape = ShapeOf<P>, D extends FloatDType = DTypeOf<P>>(
  key: Key,
  df: P & Ok<Drawn<'studentT', ShapeOf<P>, NoInfer<S>>>,
  options: DrawOptions<S, D> = {},
): Tensor<S, NoInfer<D>> => {
  const named = [{ name: 'number of degrees of freedom', value: df, ...positive }];
  const { key: node, nodes } = parametersOf('studentT', key, named, options);
  const half = times(nodes[0]!, 0.5);
  const dtype = half.dtype as 'float32' | 'float64';
  const z = nodeOf(normal(asKey(subkey(node, 0)), half.shape, { dtype }));
  const log = logGamma(subkey(node, 1), half);
  return wrap(b.mul(z, b.exp(times(b.sub(b.log(half), log), 0.5))));
};
