/** Multistep exponential integrators: a step is a sum over the predictions of this level and of those before it. */

import { zerosLike } from '../../tensor/ops/creation/creation.js';
import { sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { greaterEqual, where } from '../../tensor/ops/elementwise/comparison.js';
import { logicalAnd } from '../../tensor/ops/elementwise/logic.js';
import { range } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { combine } from '../level.js';
import { plainState, type SamplerState, type Step } from '../sampler.js';
import { type Integral, newtonTerms, newtonWeights, noLambda, type Past } from './exponential.js';

/** Predictions and their λ, the latest first; λ is infinite where there is none yet. */
export interface History {
  readonly models: readonly Tensor[];
  readonly lambdas: readonly Tensor[];
}

/** What multistep samplers carry. */
export interface MultistepState extends SamplerState, History {}

/** The state before the first step, with places for a number of predictions. */
export const multistepState = (x: Tensor, length: number): MultistepState => {
  const { models, lambdas } = noHistory(x, length);
  return Object.freeze({ ...plainState(x), models, lambdas });
};

/** Places for a number of predictions. */
export const noHistory = (x: Tensor, length: number): History => ({
  models: range(length).map(() => zerosLike(x) as Tensor),
  lambdas: range(length).map(noLambda),
});

/** The history with a prediction more, and without the oldest. */
export const remember = ({ models, lambdas }: History, model: Tensor, lambda: Tensor): History => ({
  models: [model, ...models].slice(0, models.length),
  lambdas: [lambda, ...lambdas].slice(0, lambdas.length),
});

/** For each order above the first, whether a step can be of it: from the past, by where it leads, and by a rule of the sampler's. */
export const gatesOf = (
  { usable }: Past,
  { finite }: Integral,
  rule: (order: number) => Tensor | undefined,
): readonly Tensor[] =>
  usable.map((known, i) => {
    const possible = logicalAnd(known, finite) as Tensor;
    const allowed = rule(i + 2);
    return allowed === undefined ? possible : (logicalAnd(possible, allowed) as Tensor);
  });

/** Whether as many steps are left, this one counted. */
export const areLeft = ({ count, index }: Step, steps: number): Tensor =>
  greaterEqual(sub(count, index), steps) as Tensor;

/** What the divided differences are multiplied by: the term after the first is `slope` in steps of second order. */
export const termsOf = (exact: readonly Tensor[], gates: readonly Tensor[], slope: Tensor): readonly Tensor[] =>
  exact.map((term, j) => {
    if (j === 0) return term;
    const gate = gates[j - 1]!;
    if (j > 1) return where(gate, term, 0) as Tensor;
    const second = where(gate, slope, 0) as Tensor;
    return gates.length < 2 ? second : (where(gates[1]!, term, second) as Tensor);
  });

/** The exact terms of a step over this level and those of the past. */
export const exactTerms = ({ moments }: Integral, { nodes }: Past): readonly Tensor[] => newtonTerms(moments, nodes);

/** x at the end of a step, of the values at this level and the nodes. */
export const advance = (
  x: Tensor,
  { carry }: Integral,
  terms: readonly Tensor[],
  nodes: readonly Tensor[],
  values: readonly Tensor[],
  ...others: readonly (readonly [coefficient: Tensor, x: Tensor])[]
): Tensor => {
  const weights = newtonWeights(terms, nodes);
  return combine([carry, x], ...weights.map((weight, i) => [weight, values[i]!] as const), ...others);
};
