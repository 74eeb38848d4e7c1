/** Angles of the distribution of von Mises. Derivatives are those of the quantiles, by implicit differentiation. */
import { b } from '../tensor/build.js';
import type { FloatDType } from '../tensor/dtype.js';
import type { Node } from '../tensor/graph.js';
import { atMost, plus, times } from '../tensor/ops/common/numbers.js';
import { broadcastNode, castNode } from '../tensor/ops/common/operands.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { full } from '../tensor/primitives/full.js';
import type { Shape } from '../tensor/shape.js';
import type { Ok } from '../tensor/shape-types.js';
import { nodeOf, type Tensor, wrap } from '../tensor/tensor.js';
import { customJvp } from '../tensor/transform/custom.js';
import { fold } from '../tensor/transform/loops.js';
import type { ShapeOf } from '../tensor/types/operands.js';
import type { Key } from './key.js';
import { type DrawOptions, notNegative, openUnit, type Parameter, parametersOf } from './parameters.js';
import { subkey, untilAccepted } from './rejection.js';
import type { Drawn, DTypeOf } from './shapes.js';

/** Beyond, angles are below the floats' resolution of an angle's square. */
const mostConcentrated = 1e300;

/**
 * With t = 1 + √(1 + 4κ²) and ρ = 2κ / (t + √2t), the proposals are 2·atan((1 − ρ)/(1 + ρ)·tan(φ/2)) of uniform φ: the angles
 * of a Cauchy distribution wrapped around the circle. Best and Fisher's ratio c = κ·(r − cos θ), r = (1 + ρ²)/2ρ, is written
 * as κ(r − 1) + κ(1 − cos θ), and ρ and 1 − ρ each as a quotient of positive sums: nothing cancels, be κ small or large.
 */
const angles = (key: Node, kappa: Node): Node => {
  const { shape } = kappa;
  const one = full(b, kappa, 1);
  const doubled = times(kappa, 2);
  const root = b.hypot(one, doubled);
  const t = plus(root, 1);
  const sum = b.add(t, b.sqrt(times(t, 2)));
  const rho = b.div(doubled, sum);
  // t − 2κ = 1 + 1 / (√(1 + 4κ²) + 2κ).
  const excess = plus(b.div(one, b.add(root, doubled)), 1);
  const rest = b.div(b.add(excess, b.sqrt(times(t, 2))), sum);
  const narrowing = b.div(rest, plus(rho, 1));
  const offset = b.mul(b.mul(rest, rest), times(sum, 0.25));
  const open = b.ge(kappa, full(b, kappa, 0));
  return untilAccepted(key, open, full(b, kappa, Number.NaN), own => {
    const u = openUnit(subkey(own, 0), shape, 'float64');
    const tangent = b.mul(narrowing, b.tan(times(plus(u, -0.5), Math.PI)));
    const square = b.mul(tangent, tangent);
    const c = b.add(offset, b.div(b.mul(doubled, square), plus(square, 1)));
    const bound = b.sub(plus(b.log(c), 1), c);
    const v = openUnit(subkey(own, 1), shape, 'float64');
    return { value: times(b.atan(tangent), 2), accepted: b.le(b.log(v), bound) };
  });
};

/** Nodes and weights of ∫₀¹ f(s) ds by Fejér's first rule: of e⁻⁴⁰ˢ, and all that is smoother, right to the last bit. */
const rule = (() => {
  const count = 64;
  const angles = Array.from({ length: count }, (_, i) => ((i + 0.5) * Math.PI) / count);
  const weight = (angle: number): number => {
    let sum = 0.5;
    for (let j = 1; j <= count / 2; j++) sum -= Math.cos(2 * j * angle) / (4 * j * j - 1);
    return (2 * sum) / count;
  };
  return { s: angles.map(angle => (1 + Math.cos(angle)) / 2), w: angles.map(weight) };
})();

/** 1 − cos t. */
const versine = (t: Node): Node => {
  const sine = b.sin(times(t, 0.5));
  return times(b.mul(sine, sine), 2);
};

/** Where exp(−κ·(1 − cos t)) has fallen to e⁻⁴⁰ of what it is where 1 − cos t is `from`, or π. No derivative. */
const end = (from: Node, kappa: Node): Node => {
  // 1 − cos t is 2 sin²(t/2).
  const reached = b.add(times(from, 0.5), b.div(full(b, kappa, 20), kappa));
  return b.stopGradient(times(b.asin(b.sqrt(b.min(reached, full(b, kappa, 1)))), 2));
};

/** The integrals of exp(−κ·(v − base)), and of that times v, with v = 1 − cos t, over an interval of t. */
const integrals = (kappa: Node, base: Node, from: Node, to: Node): readonly [Node, Node] => {
  interface Sums {
    readonly mass: Tensor;
    readonly moment: Tensor;
  }
  const width = b.sub(to, from);
  const spread = (x: Tensor): Node => broadcastNode(nodeOf(x), kappa.shape);
  const step = ({ mass, moment }: Sums, { s, w }: { readonly s: Tensor; readonly w: Tensor }): Sums => {
    const v = versine(b.add(from, b.mul(width, spread(s))));
    const weight = b.mul(b.exp(b.mul(kappa, b.sub(base, v))), spread(w));
    return { mass: wrap(b.add(nodeOf(mass), weight)), moment: wrap(b.add(nodeOf(moment), b.mul(weight, v))) };
  };
  const zero = wrap(full(b, kappa, 0));
  const nodes = { s: tensor(rule.s, { dtype: 'float64' }), w: tensor(rule.w, { dtype: 'float64' }) };
  const { mass, moment } = fold(step)({ mass: zero, moment: zero }, nodes);
  return [b.mul(nodeOf(mass), width), b.mul(nodeOf(moment), width)];
};

/**
 * dθ/dκ at a fixed quantile: −(∂F/∂κ) / p(θ). With v = 1 − cos t and its mean V, that is for θ ≥ 0
 *
 *   ∫ (V − v) exp(−κ·(v − v(θ))) dt over t from θ to π,
 *
 * which is −1 times the same from 0 to θ: the side is taken on which V − v has one sign, so that nothing cancels.
 */
const slope = (theta: Node, kappa: Node): Node => {
  const size = b.abs(theta);
  const zero = full(b, kappa, 0);
  const [whole, moment] = integrals(kappa, zero, zero, end(zero, kappa));
  const mean = b.div(moment, whole);
  const base = versine(size);
  const isNear = b.lt(base, mean);
  const from = b.select(isNear, zero, size);
  const to = b.select(isNear, size, end(base, kappa));
  const [mass, part] = integrals(kappa, base, from, to);
  const total = b.sub(b.mul(mean, mass), part);
  const signed = b.select(isNear, b.neg(total), total);
  return b.mul(b.sign(theta), signed);
};

/** A sample with its derivative (Figurnov, Mohamed, Mnih: "Implicit reparameterization gradients", arXiv:1805.08498). */
const implicit: (angle: Tensor, concentration: Tensor) => Tensor = customJvp(
  (angle: Tensor, _concentration: Tensor): Tensor => angle,
  ([angle, concentration], [, direction]) => {
    const at = implicit(angle, concentration);
    return [at, wrap(b.mul(slope(nodeOf(at), nodeOf(concentration)), nodeOf(direction as Tensor)))];
  },
);

/**
 * Angles of the distribution of von Mises around 0: density exp(κ cos θ) / (2π I₀(κ)) on [−π, π]. By Best and Fisher's
 * rejection (Applied Statistics 28, 1979) from wrapped Cauchy angles, in float64 whatever the dtype. Differentiable in the
 * concentration: the derivative is that of the quantile which the element is. For another direction, add it and bring the sum
 * back to [−π, π].
 *
 * @param concentration κ ≥ 0, a number or a tensor; 0 is uniform; where it is negative or NaN, the element is NaN
 * @param options `shape` (that of the concentration), `dtype` (its dtype, float32 for a number)
 * @throws ArgumentError when `key` is no key or the number negative or not finite, ShapeError when the concentration does not
 *   broadcast to the shape, DTypeError for another dtype
 * @example
 * ```js
 * import { key, vonMises } from 'tenfold/random';
 * vonMises(key(0), 4, { shape: [3, 2] }).shape; // => [3, 2]
 * ```
 */
export const vonMises = <P extends Parameter, const S extends Shape = ShapeOf<P>, D extends FloatDType = DTypeOf<P>>(
  key: Key,
  concentration: P & Ok<Drawn<'vonMises', ShapeOf<P>, NoInfer<S>>>,
  options: DrawOptions<S, D> = {},
): Tensor<S, NoInfer<D>> => {
  const named = [{ name: 'concentration', value: concentration, ...notNegative }];
  const { key: node, nodes } = parametersOf('vonMises', key, named, options);
  const given = nodes[0]!;
  const kappa = atMost(castNode(given, 'float64'), mostConcentrated);
  const drawn = b.stopGradient(angles(node, b.stopGradient(kappa)));
  const theta = castNode(nodeOf(implicit(wrap(drawn), wrap(kappa))), given.dtype);
  // π is no float: in float32 the nearest is above it.
  const ends = full(b, theta, given.dtype === 'float32' ? 3.1415925 : Math.PI);
  return wrap(b.select(b.gt(theta, ends), ends, b.select(b.lt(theta, b.neg(ends)), b.neg(ends), theta)));
};
