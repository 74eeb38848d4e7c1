/**
 * What the incomplete gamma and beta functions share: an integral of a tail as a fold over the nodes of a quadrature, and
 * logarithms from which nothing large has been subtracted. All in float64.
 */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import type { CustomRule } from '../../primitives/custom.js';
import { full } from '../../primitives/full.js';
import { results } from '../../primitives/results.js';
import { closed } from '../common/derived.js';
import { plus, polynomial, times } from '../common/numbers.js';
import { broadcastNode, castNode } from '../common/operands.js';

/** How far apart the nodes are, in the variable in which they are equally spaced; where they begin, and how many. */
const step = 1 / 20;
const first = -3.7;
const count = 180;

/** The operands where the condition holds, else ones: what is computed of those is not used. */
export const where = (condition: Node, ...operands: readonly Node[]): Node[] =>
  operands.map(x => b.select(condition, x, full(b, x, 1)));

/**
 * ∫₀^∞ f(s) ds of functions that are log-concave and fall on a scale of about 1, by s = exp(τ − e^−τ) and the rule of
 * trapezoids, which converges exponentially (Takahasi & Mori, "Double exponential formulas for numerical integration",
 * 1974). It is right to 1e-13 also where the scale is not that, by factors up to a thousand below and five above.
 *
 * @param inputs what `f` knows beside s, all of one shape
 * @param f the integrands
 */
export const integrals = (
  name: string,
  inputs: readonly Node[],
  howMany: number,
  f: (s: Node, inputs: readonly Node[]) => readonly Node[],
): Node[] => {
  const zero = full(b, inputs[0]!, 0);
  const sums = Array.from({ length: howMany }, () => zero);
  const place = { shape: [], dtype: 'int32' as const };
  const body = closed(name, [...inputs, ...sums, place], parameters => {
    const tau = plus(times(castNode(parameters[parameters.length - 1]!, 'float64'), step), first);
    const falling = b.exp(b.neg(tau));
    const s = b.exp(b.sub(tau, falling));
    const weight = broadcastNode(times(b.mul(s, plus(falling, 1)), step), zero.shape);
    const values = f(broadcastNode(s, zero.shape), parameters.slice(0, inputs.length));
    return values.map((value, i) => b.add(parameters[inputs.length + i]!, b.mul(value, weight)));
  });
  const places = b.iota({ shape: [count], dtype: 'int32', axis: 0 });
  const loop = { body, length: count, captures: inputs.length, carries: howMany, reverse: false };
  return [...results(b, b.fold([...inputs, ...sums, places], loop))];
};

const atanhSeries = Array.from({ length: 18 }, (_, k) => 1 / (2 * k + 3));

/** log(1 + x) − x for |x| ≤ 1/2, from the series of the area tangent of r = x / (2 + x). */
export const log1pLess = (x: Node): Node => {
  const r = b.div(x, plus(x, 2));
  const square = b.mul(r, r);
  return b.sub(times(b.mul(b.mul(r, square), polynomial(square, atanhSeries)), 2), b.mul(x, r));
};

const expSeries = [0, 0];
for (let k = 2, factorial = 1; k < 17; k++) {
  factorial *= k;
  expSeries.push(1 / factorial);
}

/** eˣ − 1 − x. */
export const expm1Less = (x: Node): Node => {
  const near = b.lt(b.abs(x), full(b, x, 0.5));
  const [small] = where(near, x) as [Node];
  return b.select(near, polynomial(small, expSeries), b.sub(b.expm1(x), x));
};

/** a·log(x / a) − (x − a), which is nowhere positive, for positive numbers. */
export const powerTerm = (a: Node, x: Node): Node => {
  const apart = b.sub(x, a);
  const near = b.lt(b.abs(apart), times(a, 0.5));
  const ratio = b.div(b.select(near, apart, full(b, a, 0)), a);
  // The quotient has the more exact logarithm, but may overflow where a is small.
  const large = b.ge(a, full(b, a, 1));
  const [divisor] = where(large, a) as [Node];
  const log = b.select(large, b.log(b.div(x, divisor)), b.sub(b.log(x), b.log(a)));
  const far = b.sub(b.mul(a, log), apart);
  return b.select(near, b.mul(a, log1pLess(ratio)), far);
};

/** Stirling's series (Abramowitz & Stegun 6.1.41), of which eight terms are enough from 10 on. */
const stirling = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400];

/** log Γ(a) − (a − ½) log a + a − ½ log 2π. */
export const stirlingError = (a: Node): Node => {
  const large = b.ge(a, full(b, a, 10));
  const inverse = b.div(full(b, a, 1), b.select(large, a, full(b, a, 10)));
  const series = b.mul(inverse, polynomial(b.mul(inverse, inverse), stirling));
  const [small] = where(b.not(large), a) as [Node];
  const powers = b.mul(plus(small, 0.5), b.log(small));
  const direct = plus(b.add(b.sub(b.lgamma(plus(small, 1)), powers), small), -0.5 * Math.log(2 * Math.PI));
  return b.select(large, series, direct);
};

/**
 * A function of several nodes of one shape with the derivative in each, all computed in float64.
 *
 * @param slopes the partial derivatives
 */
export const withSlopes = (
  name: string,
  inputs: readonly Node[],
  value: (inputs: readonly Node[]) => Node,
  slopes: (inputs: readonly Node[]) => readonly Node[],
): Node => {
  const dtype: DType = inputs[0]!.dtype;
  const wide = (nodes: readonly Node[]): Node[] => nodes.map(x => castNode(x, 'float64'));
  const body = closed(name, inputs, parameters => [castNode(value(wide(parameters)), dtype)]);
  const rule: CustomRule = {
    kind: 'customJvp',
    apply: (at, directions) => {
      const factors = slopes(wide(at));
      const terms = factors.map((factor, i) => b.mul(castNode(factor, dtype), directions[i]!));
      return { outputs: [withSlopes(name, at, value, slopes)], tangents: [terms.reduce((x, y) => b.add(x, y))] };
    },
  };
  return results(b, b.custom(inputs, { body, captures: 0, rule }))[0]!;
};
