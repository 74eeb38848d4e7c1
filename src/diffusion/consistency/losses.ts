/** Losses of consistency models: the predictions of x₀ at two adjacent levels of one path are to be the same. */
import { isFloat } from '../../tensor/dtype.js';
import { ArgumentError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { zerosLike } from '../../tensor/ops/creation/creation.js';
import { abs, add, minimum, mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast, stopGradient } from '../../tensor/ops/elementwise/cast.js';
import { equal, greater, where } from '../../tensor/ops/elementwise/comparison.js';
import { reciprocal, sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { take } from '../../tensor/ops/indexing/indexing.js';
import { expandDims, reshape } from '../../tensor/ops/movement/movement.js';
import { sum } from '../../tensor/ops/reduction/reduction.js';
import { checkArgument, range, type Shape, showAval, sizeOf } from '../../tensor/shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import { meanFlat } from '../bound.js';
import { checkAlike, checkFunctions } from '../checks.js';
import { checkedDenoised, type Denoiser, type DenoiserModel, halves } from '../denoiser.js';
import { addNoise, combine, type NoiseLevel, noiseToSignal } from '../level.js';
import type { Levels } from '../levels.js';
import {
  checkBatched,
  checkExample,
  type DiffusionLoss,
  type Losses,
  type TrainingProgress,
  weighed,
} from '../losses/loss.js';
import { preconditioned } from '../preconditioning.js';
import type { Model } from '../reverse-process.js';
import type { Denoise } from '../sampler.js';
import { eulerTo, openEnded, slopeTerms } from '../samplers/straight-path.js';
import { type ConsistencyLevels, checkConsistencyLevels, levelsIn } from './stages.js';

/**
 * How predictions of x₀ are compared that differ by d: `mse`, the mean of d², `l1`, that of |d|, or the pseudo-Huber metric of vectors,
 * √(‖d‖² + c²) − c.
 */
export type ConsistencyMetric = 'mse' | 'l1' | { readonly pseudoHuber: number };

/**
 * By which parameters the lower prediction is made, into which no derivative leads: `online`, those that learn, or `average`, their moving
 * average, that of a name where a trainer has several.
 */
export type ConsistencyTarget = 'online' | 'average' | { readonly average: string };

/** Options of {@link consistencyTraining} and {@link consistencyDistillation}. */
export interface ConsistencyLossOptions<E = unknown> {
  /** What makes a denoiser of the network: its x₀ is the consistency function. Default `preconditioned`. */
  readonly denoiser?: (model: DenoiserModel<E>) => Denoiser<E>;
  /** Default the pseudo-Huber metric with c = 0.00054 √d for samples of d elements. */
  readonly metric?: ConsistencyMetric;
  /** Default `online`. */
  readonly target?: ConsistencyTarget;
  /** The weight of the interval between two levels, in float64. Default `1 / (rᵤ − rₗ)` of their ratios r = σ / α. */
  readonly weighting?: (upper: NoiseLevel, lower: NoiseLevel) => Tensor;
}

/** Options of {@link consistencyDistillation}. */
export interface ConsistencyDistillationOptions<E = unknown> extends ConsistencyLossOptions<E> {
  /** The step of the teacher: Heun's, which calls it twice, or Euler's. Default `heun`. */
  readonly solver?: 'heun' | 'euler';
}

/** A pair of adjacent levels for each sample. */
interface Interval {
  readonly upper: NoiseLevel;
  readonly lower: NoiseLevel;
  /** Whether there is no lower level still, bool [N]. */
  readonly last: Tensor;
}

/** Norms of all but the first axis, to which the square root has a derivative everywhere. */
const pseudoHuber = (d: Tensor, given: number | undefined): Tensor => {
  const c = given ?? 0.00054 * Math.sqrt(sizeOf(d.shape.slice(1)));
  const squares = sum(square(d), { axis: range(d.shape.length).slice(1) }) as Tensor;
  return sub(sqrt(add(squares, c ** 2) as Tensor), c) as Tensor;
};

const distanceOf = (operation: string, metric: ConsistencyMetric | undefined): ((d: Tensor) => Tensor) => {
  if (metric === undefined) return d => pseudoHuber(d, undefined);
  if (metric === 'mse') return d => meanFlat(square(d));
  if (metric === 'l1') return d => meanFlat(abs(d) as Tensor);
  if (typeof metric === 'object' && metric !== null && Object.keys(metric).join() === 'pseudoHuber') {
    const c = checkNumber(operation, 'pseudoHuber', metric.pseudoHuber, 'positive');
    return d => pseudoHuber(d, c);
  }
  throw new ArgumentError({
    operation,
    given: `${typeof metric === 'string' ? `'${String(metric)}'` : kindOf(metric)} as the metric`,
    rule: "a metric is 'mse', 'l1' or { pseudoHuber: c }",
    hint: 'Leave it out for the pseudo-Huber metric with c = 0.00054 √d.',
  });
};

/** The model that makes the lower prediction. */
const targetOf = <E>(
  operation: string,
  target: ConsistencyTarget,
): ((model: Model<E>, progress: TrainingProgress<E>) => Model<E>) => {
  if (target === 'online') return model => model;
  const isNamed = typeof target === 'object' && target !== null && Object.keys(target).join() === 'average';
  const name = isNamed ? target.average : undefined;
  checkArgument(
    target === 'average' || typeof name === 'string',
    operation,
    `${typeof target === 'string' ? `'${String(target)}'` : kindOf(target)} as the target`,
    "a target is 'online', 'average' or { average: name }",
    "Leave it out for 'online'.",
  );
  return (_, { average }) => {
    checkArgument(
      typeof average === 'function',
      operation,
      'examples without an average',
      'the target is an average of the parameters, which a trainer keeps',
      "Take the target 'online', or write { …, average: () => model }.",
    );
    const held = average!(name);
    checkFunctions(operation, { 'what average gives': held });
    return held;
  };
};

/** 1 / (rᵤ − rₗ). */
const byWidth: NonNullable<ConsistencyLossOptions['weighting']> = (upper, lower) =>
  reciprocal(sub(noiseToSignal(upper), noiseToSignal(lower)) as Tensor) as Tensor;

const chosen = (condition: Tensor, a: NoiseLevel, c: NoiseLevel): NoiseLevel => ({
  alpha: where(condition, a.alpha, c.alpha) as Tensor,
  sigma: where(condition, a.sigma, c.sigma) as Tensor,
  time: where(condition, a.time, c.time) as Tensor,
});

/** The intervals that begin at times, or at the next levels below them. */
const intervalAt = (levels: Levels, end: Tensor | number, t: Tensor): Interval => {
  const above = greater(expandDims(levels.time, 0), expandDims(cast(t, 'float64') as Tensor, 1)) as Tensor;
  const place = minimum(sum(above, { axis: 1 }) as Tensor, end as Tensor) as Tensor;
  const at = (i: Tensor): NoiseLevel => {
    const of = (values: Tensor): Tensor => take(values, i as Tensor<Shape, 'int32'>) as Tensor;
    return { alpha: of(levels.alpha), sigma: of(levels.sigma), time: of(levels.time) };
  };
  return { upper: at(place), lower: at(add(place, 1) as Tensor), last: equal(place, end as Tensor) as Tensor };
};

/** Where a path has got to at the lower level of an interval. */
type LowerEnd<E> = (
  x: Tensor,
  interval: Interval,
  example: { readonly xStart: Tensor; readonly noise: Tensor; readonly inputs: E },
) => Tensor;

const checkTimes = (operation: string, t: Tensor, x: Tensor): void =>
  checkArgument(
    isTensor(t) && (isFloat(t.dtype) || t.dtype === 'int32') && t.shape.length === 1 && t.shape[0] === x.shape[0],
    operation,
    `${isTensor(t) ? showAval(t) : kindOf(t)} as the times of ${showAval(x)}`,
    'there is one time for each sample, a float or a timestep in int32',
    'Take those of consistencyTimes(levels).',
  );

/** The preconditioned denoiser of a network, which is refused in the name of the loss. */
const usual =
  <E>(operation: string) =>
  (model: DenoiserModel<E>): Denoiser<E> =>
    preconditioned((x, ...others) => halves(operation, model(x, ...others), x, false)[0]!);

const commonNames = ['denoiser', 'metric', 'target', 'weighting'];

const consistencyLoss = <E>(
  operation: string,
  levels: ConsistencyLevels,
  options: ConsistencyLossOptions<E>,
  lowerEnd: LowerEnd<E>,
): DiffusionLoss<E> => {
  checkConsistencyLevels(operation, levels);
  const { denoiser = usual<E>(operation), metric, target = 'online', weighting = byWidth } = options;
  checkFunctions(operation, { denoiser, weighting });
  const distance = distanceOf(operation, metric);
  const heldOf = targetOf<E>(operation, target);
  return (model, example): Losses => {
    checkExample(operation, model, example);
    const { xStart, noise, t, inputs } = example;
    checkAlike(operation, { xStart, noise });
    checkBatched(operation, xStart);
    checkTimes(operation, t, xStart);
    const now = levelsIn(operation, levels, example.step);
    const interval = intervalAt(now.levels, now.last, t);
    const { upper, lower, last } = interval;
    const context = { inputs, previous: zerosLike(xStart) as Tensor };
    const x0By = (made: Model<E>): ((x: Tensor, level: NoiseLevel) => Tensor) => {
      const network = denoiser((y, time, given) => made(y, time, given));
      checkFunctions(operation, { 'what the denoiser makes of a model': network });
      return (x, level) => checkedDenoised(operation, network(x, level, context), x).x0;
    };
    const [x0Of, heldX0Of] = [x0By(model), x0By(heldOf(model, example))];
    const x = addNoise(xStart, upper, noise);
    const below = lowerEnd(x, interval, example);
    // At the lowest level the data are what is there. The network is not asked: at σ = 0 its time may be infinite.
    const data = combine([reciprocal(lower.alpha) as Tensor, below]);
    const known = reshape(last, [-1, ...x.shape.slice(1).map(() => 1)]) as Tensor;
    const constant = stopGradient(where(known, data, heldX0Of(below, chosen(last, upper, lower))) as Tensor);
    const compared = distance(sub(x0Of(x, upper), constant) as Tensor);
    return Object.freeze({ loss: weighed(operation, compared, weighting(upper, lower)) });
  };
};

/**
 * Consistency training: a network learns, without any other, to lead to the end of the probability-flow ODE in one step. Its predictions of
 * x₀ are compared at two adjacent levels, of samples of the same data and the same noise; that at the lower one is a constant, and at
 * the lowest one it is the sample itself, which is the boundary condition. `multistepConsistency` samples.
 *
 * A trainer takes it with `consistencyTimes(levels)`. The two predictions are made with the same key, so with the same dropout. The lower
 * one is made with the parameters that learn or, with the target `average`, with their moving average, which the trainer keeps.
 *
 * Sources: Song et al. 2023, arXiv:2303.01469, section 5, algorithm 3 (as in the second example); Song & Dhariwal 2023, arXiv:2310.14189,
 * sections 3.1 to 3.3, of which are by default the target without an average, the metric and the weighting.
 *
 * @param levels falling, with `final: 'none'` from the ratio at which sampling begins to the least: `levelsOf(edmProcess(),
 *   karrasSigmas(N), { final: 'none' })`; where N rises in the course of the training, what `consistencyLevels` gives
 * @param options see {@link ConsistencyLossOptions}
 * @returns a loss: of a model and of examples whose `t` [N] are times of the levels (of others, the next below them); [N] in the dtype of
 *   the data
 * @throws ArgumentError for what are no levels, a metric, target, function or option that is none; the loss: ArgumentError for what is no
 *   model or example, when there is not one time for each sample, or no average or number of steps where there has to be one, ShapeError,
 *   DTypeError when data, noise or the output of the model differ
 * @example
 * ```js
 * import { consistencyTimes, consistencyTraining, edmProcess, karrasSigmas, levelsOf, trainer } from 'tenfold/diffusion';
 * import { residualMlp } from 'tenfold/nn';
 * import { radam } from 'tenfold/optim';
 * import { key } from 'tenfold/random';
 * const process = edmProcess();
 * const levels = levelsOf(process, karrasSigmas(11), { final: 'none' });
 * const { init } = trainer({
 *   process,
 *   model: residualMlp({ size: 4, hidden: 8, blocks: 1 }),
 *   loss: consistencyTraining(levels),
 *   timesteps: consistencyTimes(levels),
 *   optimizer: radam(1e-4),
 * });
 * init(key(0)).step.item(); // => 0
 * ```
 * @example
 * Algorithm 3 of Song et al. 2023, with a number of levels and a decay that rise, and a second average to sample with:
 * ```js
 * import { onesLike } from 'tenfold';
 * import { consistencyDecay, consistencyLevels, consistencyStages, consistencyTimes, consistencyTraining, edmProcess, trainer } from 'tenfold/diffusion';
 * import { residualMlp } from 'tenfold/nn';
 * import { radam } from 'tenfold/optim';
 * import { key } from 'tenfold/random';
 * const process = edmProcess();
 * const stages = consistencyStages(800_000, { growth: 'squareRoot' });
 * const levels = consistencyLevels(process, stages);
 * const { init } = trainer({
 *   process,
 *   model: residualMlp({ size: 4, hidden: 8, blocks: 1 }),
 *   loss: consistencyTraining(levels, { target: { average: 'target' }, metric: 'mse', weighting: ({ sigma }) => onesLike(sigma) }),
 *   timesteps: consistencyTimes(levels, { distribution: 'uniform' }),
 *   optimizer: radam(1e-4),
 *   ema: { target: consistencyDecay(stages), samples: 0.9999 },
 * });
 * Object.keys(init(key(0)).ema); // => ['target', 'samples']
 * ```
 */
export const consistencyTraining = <E = unknown>(
  levels: ConsistencyLevels,
  options: ConsistencyLossOptions<E> = {},
): DiffusionLoss<E> => {
  checkOptions('consistencyTraining', commonNames, options);
  return consistencyLoss('consistencyTraining', levels, options, (_, { lower }, { xStart, noise }) =>
    addNoise(xStart, lower, noise),
  );
};

/** What a model is told, without the key of its dropout, which is for training. */
const told = <E>(inputs: E): E => {
  if (typeof inputs !== 'object' || inputs === null || isTensor(inputs) || !('key' in inputs)) return inputs;
  const { key: _, ...others } = inputs;
  return others as E;
};

/** A step of the ODE between levels that each sample has for itself. */
const odeStep = (solver: 'heun' | 'euler', x: Tensor, from: NoiseLevel, to: NoiseLevel, denoise: Denoise): Tensor => {
  const first = denoise(x, from);
  const guess = eulerTo(first, to);
  if (solver === 'euler') return guess;
  const open = openEnded(from, to);
  const second = denoise(guess, chosen(open, from, to));
  const half = mul(sub(noiseToSignal(to), noiseToSignal(from)), 0.5) as Tensor;
  return combine([1, guess], ...slopeTerms('exploding', to, where(open, 0, half) as Tensor, second, first));
};

/**
 * Consistency distillation: a network learns to lead in one step to where a trained denoiser leads in many. Its predictions of x₀ are
 * compared at two adjacent levels, the sample at the lower one being where a step of the teacher's probability-flow ODE leads from the
 * upper one. As in {@link consistencyTraining}, the lower prediction is a constant, of the parameters that learn or of their average, and
 * at the lowest level it is the sample itself.
 *
 * The teacher may be guided, or modified in any other way: what is distilled is all of it. It is told what conditions the samples, but no
 * key, so that nothing of it is left out.
 *
 * Source: Song et al. 2023, arXiv:2303.01469, section 4, algorithm 2, with target, metric and weighting by default those of Song &
 * Dhariwal 2023, arXiv:2310.14189; for guided teachers Luo et al. 2023, arXiv:2310.04378.
 *
 * @param levels as those of {@link consistencyTraining}; 18 to 40 suffice
 * @param teacher a denoiser, which a derivative does not lead into
 * @param options see {@link ConsistencyDistillationOptions}
 * @returns a loss, as {@link consistencyTraining} gives it
 * @throws ArgumentError for what are no levels or no teacher, a solver, metric, target, function or option that is none; the loss: errors
 *   as those of {@link consistencyTraining}, and ShapeError, DTypeError when what the teacher gives differs from the data
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { consistencyDistillation, denoiser, edmProcess, levelsOf } from 'tenfold/diffusion';
 * const zero = model => denoiser(model, { prediction: 'x0', scaling: 'exploding' });
 * const levels = levelsOf(edmProcess(), [2, 1], { final: 'none' });
 * const loss = consistencyDistillation(levels, zero(x => mul(x, 0)), { denoiser: zero, metric: 'mse' });
 * const example = { xStart: tensor([[1]]), noise: tensor([[3]]), t: tensor([2]), inputs: null };
 * // From 7 at σ = 2 to 3.5 at σ = 1, where it ends.
 * loss(x => x, example).loss.item(); // => 12.25
 * ```
 */
export const consistencyDistillation = <E = unknown>(
  levels: ConsistencyLevels,
  teacher: Denoiser<E>,
  options: ConsistencyDistillationOptions<E> = {},
): DiffusionLoss<E> => {
  const operation = 'consistencyDistillation';
  checkOptions(operation, [...commonNames, 'solver'], options);
  checkFunctions(operation, { 'the teacher': teacher });
  const { solver = 'heun' } = options;
  checkArgument(
    solver === 'heun' || solver === 'euler',
    operation,
    `${typeof solver === 'string' ? `'${String(solver)}'` : kindOf(solver)} as the solver`,
    "the solver is 'heun' or 'euler'",
    "Leave it out for 'heun'.",
  );
  return consistencyLoss(operation, levels, options, (x, { upper, lower }, { inputs }) => {
    const context = { inputs: told(inputs), previous: zerosLike(x) as Tensor };
    const denoise: Denoise = (y, level) => checkedDenoised(operation, teacher(y, level, context), y);
    return odeStep(solver, x, upper, lower, denoise);
  });
};
