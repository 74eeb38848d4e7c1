/** What a network may predict: all of it says the same, and each can be computed from any other and the noisy sample. */
import { ArgumentError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { div, neg, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { equal, where } from '../tensor/ops/elementwise/comparison.js';
import { reciprocal } from '../tensor/ops/elementwise/elementary.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkAlike } from './checks.js';
import { checkLevel, combine, type NoiseLevel, scaleOf } from './level.js';

/**
 * `epsilon`: the noise ε; `x0`: the data; `v`: a ε − s x₀ with (a, s) = (α, σ) / √(α² + σ²); `score`: the gradient of
 * the log density of x, −ε / σ; `velocity`: that of the straight line from data to noise, ε − x₀.
 */
export type PredictionType = 'epsilon' | 'x0' | 'v' | 'score' | 'velocity';

/** The two things that a noisy sample is made of: x = α x₀ + σ ε. */
export interface Parts {
  readonly x0: Tensor;
  readonly eps: Tensor;
}

/** A way to say what x is made of, there and back. */
interface Isomorphism {
  readonly parts: (value: Tensor, x: Tensor, level: NoiseLevel) => Parts;
  readonly value: (parts: Parts, level: NoiseLevel) => Tensor;
}

/** x₀ from ε, or ε from x₀. */
const x0From = (eps: Tensor, x: Tensor, { alpha, sigma }: NoiseLevel): Tensor =>
  combine([reciprocal(alpha), x], [neg(div(sigma, alpha)), eps]);

const epsFrom = (x0: Tensor, x: Tensor, { alpha, sigma }: NoiseLevel): Tensor =>
  combine([reciprocal(sigma), x], [neg(div(alpha, sigma)), x0]);

const isomorphisms: Readonly<Record<PredictionType, Isomorphism>> = {
  epsilon: {
    parts: (eps, x, level) => ({ x0: x0From(eps, x, level), eps }),
    value: ({ eps }) => eps,
  },
  x0: {
    parts: (x0, x, level) => ({ x0, eps: epsFrom(x0, x, level) }),
    value: ({ x0 }) => x0,
  },
  v: {
    // With z = x / √(α² + σ²): x₀ = a z − s v and ε = s z + a v, which hold where α or σ is 0.
    parts: (v, x, level) => {
      const scale = scaleOf(level, 'preserving');
      const [a, s] = [div(level.alpha, scale), div(level.sigma, scale)];
      return {
        x0: combine([div(a, scale), x], [neg(s), v]),
        eps: combine([div(s, scale), x], [a, v]),
      };
    },
    value: ({ x0, eps }, level) => {
      const scale = scaleOf(level, 'preserving');
      return combine([div(level.alpha, scale), eps], [neg(div(level.sigma, scale)), x0]);
    },
  },
  score: {
    parts: (score, x, level) => {
      const eps = combine([neg(level.sigma), score]);
      return { x0: x0From(eps, x, level), eps };
    },
    value: ({ eps }, { sigma }) => combine([neg(reciprocal(sigma)), eps]),
  },
  velocity: {
    // With z = x / (α + σ) and t = σ / (α + σ): x₀ = z − t u and ε = z + (1 − t) u.
    parts: (velocity, x, level) => {
      const scale = scaleOf(level, 'flow');
      const t = div(level.sigma, scale);
      const per = reciprocal(scale);
      return { x0: combine([per, x], [neg(t), velocity]), eps: combine([per, x], [sub(1, t), velocity]) };
    },
    value: ({ x0, eps }) => sub(eps, x0),
  },
};

/** @internal Refuses what is no prediction type. */
export const checkPrediction = (operation: string, name: string, type: PredictionType): void => {
  if (typeof type === 'string' && Object.hasOwn(isomorphisms, type)) return;
  throw new ArgumentError({
    operation,
    given: `${typeof type === 'string' ? `'${String(type)}'` : kindOf(type)} as ${name}`,
    rule: `a prediction is one of ${Object.keys(isomorphisms).join(', ')}`,
    hint: "Networks of Ho et al. predict 'epsilon'.",
  });
};

/** @internal What x is made of, by a prediction. */
export const partsOf = (type: PredictionType, value: Tensor, x: Tensor, level: NoiseLevel): Parts =>
  isomorphisms[type].parts(value, x, level);

/** @internal The prediction that says what x is made of. */
export const predictionOf = (type: PredictionType, parts: Parts, level: NoiseLevel): Tensor =>
  isomorphisms[type].value(parts, level);

/** @internal One of two, by a condition [] or [N] for samples [N, …]. */
export const choose = (condition: Tensor, yes: Tensor, no: Tensor): Tensor => {
  const [count] = condition.shape;
  const column = count === undefined ? condition : reshape(condition, [count, ...yes.shape.slice(1).fill(1)]);
  return where(column as Tensor, yes, no) as Tensor;
};

/** @internal σ or α where something is divided by it: where it is 0, 1 takes its place. */
export const orOne = (coefficient: Tensor): Tensor => where(equal(coefficient, 0), 1, coefficient) as Tensor;

/**
 * @internal The parts that a changed prediction means. Where the level does not tell the one from the other (σ = 0 or α = 0),
 * the part that cannot be had stays as it was, and so does a noise that is all of x.
 */
export const agreeing = (
  type: PredictionType,
  value: Tensor,
  x: Tensor,
  level: NoiseLevel,
  otherwise: Parts,
): Parts => {
  const { alpha, sigma } = level;
  if (type === 'x0') {
    const { eps } = partsOf(type, value, x, { ...level, sigma: orOne(sigma) });
    return { x0: value, eps: choose(equal(sigma, 0), otherwise.eps, eps) };
  }
  if (type !== 'epsilon' && type !== 'score') return partsOf(type, value, x, level);
  const none = equal(alpha, 0);
  const { x0, eps } = partsOf(type, value, x, { ...level, alpha: orOne(alpha) });
  return { x0: choose(none, otherwise.x0, x0), eps: choose(none, otherwise.eps, eps) };
};

/**
 * From one prediction to another: of the same sample at the same level.
 *
 * Sources: Ho et al. 2020, arXiv:2006.11239, eq. 15 (ε); Salimans & Ho 2022, arXiv:2202.00512, section 4 and appendix D
 * (x₀, v); Song et al. 2020, arXiv:2011.13456 (score); Lipman et al. 2022, arXiv:2210.02747 (velocity).
 *
 * @param from see {@link PredictionType}
 * @param to see {@link PredictionType}
 * @returns a function of the prediction, the sample x (both [N, …]) and its level, in shape and dtype of x. Where the level
 *   has no signal, x₀ cannot be had from ε, nor ε from x₀ where it has no noise: the result is not finite
 * @throws ArgumentError for what is no prediction; the function: ShapeError, DTypeError when prediction and x differ
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { convert } from 'tenfold/diffusion';
 * const level = { alpha: tensor(0.5), sigma: tensor(2), time: tensor(0) };
 * convert('epsilon', 'x0')(tensor([[1]]), tensor([[3]]), level).toArray(); // => [[2]]
 * ```
 */
export const convert = (
  from: PredictionType,
  to: PredictionType,
): ((prediction: Tensor, x: Tensor, level: NoiseLevel) => Tensor) => {
  checkPrediction('convert', 'from', from);
  checkPrediction('convert', 'to', to);
  return (prediction, x, level) => {
    checkAlike('convert', { prediction, x });
    checkLevel('convert', level, x);
    return from === to ? prediction : predictionOf(to, partsOf(from, prediction, x, level), level);
  };
};
