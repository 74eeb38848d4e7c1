/**
 * The algebra of transitions between states, in logarithms: what leads from x₀ to xₜ, and back by Bayes' rule. States
 * are [N, P] here, one axis of positions, and log-probabilities [N, P, K].
 */
import type { FloatDType } from '../../tensor/dtype.js';
import { arange, full, tensor } from '../../tensor/ops/creation/creation.js';
import { add, maximum, mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { stopGradient } from '../../tensor/ops/elementwise/cast.js';
import { equal, greater, notEqual, where } from '../../tensor/ops/elementwise/comparison.js';
import { exp, log } from '../../tensor/ops/elementwise/elementary.js';
import { take } from '../../tensor/ops/indexing/indexing.js';
import { expandDims, reshape, transpose } from '../../tensor/ops/movement/movement.js';
import { max } from '../../tensor/ops/reduction/extremes.js';
import { sum } from '../../tensor/ops/reduction/reduction.js';
import { logSoftmax } from '../../tensor/ops/reduction/softmax.js';
import { range, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { vmap } from '../../tensor/transform/vmap.js';
import type { DiscreteDiffusion, TransitionMatrix } from './discrete-diffusion.js';

const impossible = Number.NEGATIVE_INFINITY;

/** What is known of one step back, from xₜ to xₛ; in logarithms. */
export interface Transitions {
  /** q(xₜ | x₀) for states x₀. */
  readonly forward: (x0: Tensor) => Tensor;
  /** p(x₀ | xₜ) of a network's logits: x₀ that cannot lead to xₜ has none, nor has the mask. */
  readonly predict: (logits: Tensor, x: Tensor) => Tensor;
  /** Σ q(xₛ | xₜ, x₀) p(x₀ | xₜ) over x₀. */
  readonly reverse: (x0: Tensor, x: Tensor) => Tensor;
}

/** Whether the states are these: bool [N, P, K]. */
const isState = (x: Tensor, states: number): Tensor =>
  equal(expandDims(x, 2), arange(states, { dtype: 'int32' })) as Tensor;

/** States as log-probabilities: 0 and −∞. */
export const certain = (x: Tensor, states: number, dtype: FloatDType): Tensor =>
  where(isState(x, states), full([], 0, { dtype }), full([], impossible, { dtype })) as Tensor;

/** log Σ exp along an axis, −∞ for nothing but −∞, with derivatives that are 0 there. */
const logSum = (x: Tensor, axis: number): Tensor => {
  const highest = stopGradient(max(x, { axis, keepDims: true }) as Tensor) as Tensor;
  const shift = where(greater(highest, impossible), highest, 0) as Tensor;
  const total = sum(exp(sub(x, shift)), { axis }) as Tensor;
  const some = greater(total, 0) as Tensor;
  return where(some, add(log(where(some, total, 1)), reshape(shift, total.shape)), impossible) as Tensor;
};

/** log(exp a + exp b), likewise. */
const logPlus = (a: Tensor, b: Tensor): Tensor => {
  const highest = stopGradient(maximum(a, b)) as Tensor;
  const shift = where(greater(highest, impossible), highest, 0) as Tensor;
  const total = add(exp(sub(a, shift)), exp(sub(b, shift))) as Tensor;
  const some = greater(total, 0) as Tensor;
  return where(some, add(log(where(some, total, 1)), shift), impossible) as Tensor;
};

/** log p(x₀ | xₜ) among those x₀ that can be. */
const among = (possible: Tensor, logits: Tensor): Tensor => logSoftmax(where(possible, logits, impossible)) as Tensor;

/** A mixture of the identity and of a distribution whatever the state before: log shares, [] or [N, 1, 1]. */
interface Mixed {
  readonly stay: Tensor;
  readonly move: Tensor;
}

/** Numbers by timestep at t, [N, 1, 1]. */
const numbersAt = (table: readonly number[], t: Tensor, dtype: FloatDType): Tensor =>
  reshape(take(tensor(table, { dtype }), t as Tensor<Shape, 'int32'>), [t.shape[0]!, 1, 1]) as Tensor;

/** The shares at t, for the logarithms of those that stay. */
const mixedAt = (stay: readonly number[], t: Tensor, dtype: FloatDType): Mixed => {
  const move = stay.map(share => Math.log(-Math.expm1(share)));
  return { stay: numbersAt(stay, t, dtype), move: numbersAt(move, t, dtype) };
};

/** Transitions of which those that change a state lead to all states alike. */
const uniformTransitions = (
  states: number,
  { step, before, now }: Readonly<Record<'step' | 'before' | 'now', Mixed>>,
): Transitions => {
  const one = Math.log(1 / states);
  // The matrices are symmetric, so that their rows are their columns.
  const rowOf = ({ stay, move }: Mixed, x: Tensor): Tensor =>
    logPlus(where(isState(x, states), stay, impossible) as Tensor, add(move, one) as Tensor);
  return {
    forward: x0 => rowOf(now, x0),
    predict: (logits, x) => among(greater(rowOf(now, x), impossible) as Tensor, logits),
    reverse: (x0, x) => {
      const reached = rowOf(now, x);
      const can = greater(reached, impossible) as Tensor;
      const weights = where(can, sub(x0, where(can, reached, 0)), impossible) as Tensor;
      const moved = add(add(before.move, one), expandDims(logSum(weights, 2), 2)) as Tensor;
      return add(rowOf(step, x), logPlus(add(before.stay, weights) as Tensor, moved)) as Tensor;
    },
  };
};

/** What a step back does to masks: log shares, [] or [N, 1, 1]. */
export interface Unmasking {
  /** Of states that are no mask at t. */
  readonly kept: Tensor;
  /** Of masks at t. */
  readonly masked: Tensor;
  /** Of masks at t that are none at s, (αₛ − αₜ) / (1 − αₜ). */
  readonly revealed: Tensor;
  /** Of masks at t that are masks at s, (1 − αₛ) / (1 − αₜ). */
  readonly left: Tensor;
}

/**
 * Transitions of which those that change a state make a mask of it. What is no mask at t stays as it is on the way
 * back.
 */
export const maskTransitions = (
  states: number,
  mask: number,
  { kept, masked, revealed, left }: Unmasking,
): Transitions => {
  const places = arange(states, { dtype: 'int32' });
  const isMask = equal(places, mask) as Tensor;
  const still = (x: Tensor): Tensor => expandDims(notEqual(x, mask) as Tensor, 2) as Tensor;
  return {
    forward: x0 => {
      const alive = where(isState(x0, states), kept, impossible) as Tensor;
      return where(isMask, where(still(x0), masked, 0), alive) as Tensor;
    },
    predict: (logits, x) =>
      among(where(still(x), isState(x, states), notEqual(places, mask) as Tensor) as Tensor, logits),
    reverse: (x0, x) =>
      where(
        still(x),
        certain(x, states, x0.dtype as FloatDType),
        where(isMask, left, add(where(isMask, 0, x0), revealed)),
      ) as Tensor,
  };
};

/** Transitions by matrices, log [N, K, K]. */
const matrixTransitions = ({ step, before, now }: Readonly<Record<'step' | 'before' | 'now', Tensor>>): Transitions => {
  const rowsAt = vmap((matrix: Tensor, x: Tensor): Tensor => take(matrix, x as Tensor<Shape, 'int32'>) as Tensor);
  const columnsAt = vmap(
    (matrix: Tensor, x: Tensor): Tensor => take(transpose(matrix), x as Tensor<Shape, 'int32'>) as Tensor,
  );
  return {
    forward: x0 => rowsAt(now, x0),
    predict: (logits, x) => among(greater(columnsAt(now, x), impossible) as Tensor, logits),
    reverse: (x0, x) => {
      const reached = columnsAt(now, x);
      const can = greater(reached, impossible) as Tensor;
      const weights = where(can, sub(x0, where(can, reached, 0)), impossible) as Tensor;
      const led = logSum(add(expandDims(weights, 3), expandDims(before, 1)) as Tensor, 2);
      return add(columnsAt(step, x), led) as Tensor;
    },
  };
};

/** log ᾱₜ from t = 0 on, and before it. */
const logAlphas = (
  betas: readonly number[],
): { readonly now: readonly number[]; readonly before: readonly number[] } => {
  let total = 0;
  const now = betas.map(beta => {
    total += Math.log1p(-beta);
    return total;
  });
  return { now, before: [0, ...now.slice(0, -1)] };
};

/** The transitions of a diffusion at timesteps t, int32 [N]. */
export const transitionsAt = (diffusion: DiscreteDiffusion, t: Tensor, dtype: FloatDType): Transitions => {
  const { states, mask, betas, matrices, matricesCumprod } = diffusion;
  if (betas === null) {
    const at = (table: readonly TransitionMatrix[]): Tensor => {
      const logs = table.map(matrix => matrix.map(row => row.map(Math.log)));
      return take(tensor(logs, { dtype }) as Tensor, t as Tensor<Shape, 'int32'>) as Tensor;
    };
    const identity = range(states).map(i => range(states).map(j => Number(i === j)));
    const before = [identity, ...matricesCumprod!.slice(0, -1)];
    return matrixTransitions({ step: at(matrices!), before: at(before), now: at(matricesCumprod!) });
  }
  const logs = logAlphas(betas);
  const now = mixedAt(logs.now, t, dtype);
  if (mask === null) {
    const before = mixedAt(logs.before, t, dtype);
    const kept = betas.map(beta => Math.log1p(-beta));
    return uniformTransitions(states, { step: mixedAt(kept, t, dtype), before, now });
  }
  const masked = logs.now.map(share => -Math.expm1(share));
  const revealed = betas.map((beta, i) => Math.log((beta * Math.exp(logs.before[i]!)) / masked[i]!));
  const left = logs.before.map((share, i) => Math.log(-Math.expm1(share) / masked[i]!));
  return maskTransitions(states, mask, {
    kept: now.stay,
    masked: now.move,
    revealed: numbersAt(revealed, t, dtype),
    left: numbersAt(left, t, dtype),
  });
};

/** KL(q ‖ p) over the states, [N, P]. */
export const divergence = (q: Tensor, p: Tensor): Tensor => {
  const can = greater(q, impossible) as Tensor;
  const known = where(can, q, 0) as Tensor;
  return sum(where(can, mul(exp(known), sub(known, where(can, p, 0))), 0), { axis: 2 }) as Tensor;
};
