/**
 * Training is a pure step: everything that changes is in the state, so a run that is saved and resumed goes on
 * bit for bit as if it had not stopped.
 */
import type { Layer } from '../nn/layer.js';
import { globalNorm } from '../optim/clipping.js';
import { emaWarmup } from '../optim/ema.js';
import { zipFloats } from '../optim/leaves.js';
import { checkTransform, type GradientTransform, type Schedule, updateBy } from '../optim/transform.js';
import { normal } from '../random/draw.js';
import { foldIn, type Key, keyNode, split } from '../random/key.js';
import type { DType } from '../tensor/dtype.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { add, mul } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { where } from '../tensor/ops/elementwise/comparison.js';
import { logicalAnd } from '../tensor/ops/elementwise/logic.js';
import { isFinite as areFinite } from '../tensor/ops/elementwise/predicates.js';
import { mean } from '../tensor/ops/reduction/reduction.js';
import { checkArgument, type Shape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { valueAndGrad } from '../tensor/transform/grad.js';
import { jit } from '../tensor/transform/jit.js';
import { realize } from '../tensor/transform/realize.js';
import { zipWith } from '../tree/tree.js';
import { checkFunctions } from './checks.js';
import { checkDiffusion, type GaussianDiffusion } from './gaussian-diffusion.js';
import { denoisingLoss } from './losses/denoising.js';
import { gaussianLossFor } from './losses/gaussian.js';
import { checkLosses, type DiffusionLoss } from './losses/loss.js';
import { checkProcess, type Process } from './process.js';
import type { Model } from './reverse-process.js';
import { type TimeSampler, uniformSampler } from './timestep-samplers.js';
import {
  type Averages,
  averaged,
  averageNamed,
  checkDecays,
  type EmaDecays,
  firstAverages,
} from './training-averages.js';
import {
  type ConditioningDropout,
  checkDropout,
  examplesOf,
  type ModelConditions,
  type TrainBatch,
  withoutSome,
} from './training-batch.js';
import { checkedTimes, checkTimeSampler, levelsOfTimesteps, type StepTimeSampler } from './training-times.js';

/** Everything that changes while a model is trained; a tree of tensors. */
export interface TrainState<P, S, T = null, M = Schedule> {
  readonly params: P;
  readonly optimizer: S;
  /** The exponential moving average of the parameters, or several by name: what to sample with. */
  readonly ema: Averages<P, M>;
  /** What the sampler of timesteps has learned. */
  readonly timesteps: T;
  /** The key of the whole run; step n draws from `foldIn(key, n)`. */
  readonly key: Key;
  /** Steps done, an int32 scalar. */
  readonly step: Tensor<readonly [], 'int32'>;
  /** How many of them have changed nothing, because something was not finite: an int32 scalar. */
  readonly skipped: Tensor<readonly [], 'int32'>;
}

/** What a step reports: scalars. */
export interface TrainMetrics {
  /** Mean loss of the batch, in its dtype. */
  readonly loss: Tensor<Shape, 'float32'>;
  /** The norm of the gradient as of one vector. */
  readonly gradientNorm: Tensor<Shape, 'float32'>;
  /** The means of what the losses are made of, such as `mse` and `vb`. */
  readonly terms: Readonly<Record<string, Tensor>>;
}

/** What training needs beside the data: a diffusion or a process, and how it is trained. */
export interface TrainerOptions<P, S, T = null, M extends EmaDecays = Schedule, C = unknown> {
  /** A Gaussian diffusion, whose timesteps and losses are the defaults. */
  readonly diffusion?: GaussianDiffusion;
  /** Any other process; then `timesteps` are times of it. */
  readonly process?: Process;
  /** `apply(params, x, t, { …inputs, key })`: x [N, …], times [N], the inputs of the batch, and a key for dropout. */
  readonly model: Layer<P, readonly [x: Tensor, t: Tensor, context: C]>;
  /** Default: that of the diffusion (`gaussianLoss`), or for a process the squared error of ε (`denoisingLoss`). */
  readonly loss?: DiffusionLoss<C>;
  readonly optimizer: GradientTransform<S>;
  /** Which times are trained on; it may heed the number of steps done. Default: all timesteps of the diffusion equally often. */
  readonly timesteps?: StepTimeSampler<T>;
  /** Decay of the moving average: a number, or a function of the number of steps done; several by name. Default `emaWarmup(0.999)`. */
  readonly ema?: M;
  /** Inputs that are left out now and then, for classifier-free guidance. */
  readonly conditioningDropout?: ConditioningDropout;
  /** A step whose loss or gradient is not finite counts, but changes nothing else. Default false. */
  readonly skipNonFinite?: boolean;
}

/** The two functions of a training run. */
export interface Trainer<P, S, T = null, M = Schedule, C = unknown> {
  readonly init: (key: Key) => TrainState<P, S, T, M>;
  readonly step: (
    state: TrainState<P, S, T, M>,
    batch: TrainBatch<ModelConditions<C>>,
  ) => readonly [state: TrainState<P, S, T, M>, metrics: TrainMetrics];
}

const names = [
  'diffusion',
  'process',
  'model',
  'loss',
  'optimizer',
  'timesteps',
  'ema',
  'conditioningDropout',
  'skipNonFinite',
] as const;

/** The number of steps done that is in a state. */
const stepOf = (state: Pick<TrainState<unknown, unknown>, 'key' | 'step'>): TrainState<unknown, unknown>['step'] => {
  const step = state?.step;
  checkArgument(
    isTensor(step) && step.dtype === 'int32' && step.shape.length === 0,
    'trainer step',
    `${kindOf(state)} as the state`,
    'the state is what init or the last step gave',
    'Start with init(key).',
  );
  keyNode('trainer step', state.key);
  return step;
};

/** What belongs to a diffusion, or to a process. */
const sourceOf = <T, C>({
  diffusion,
  process,
  loss,
  timesteps,
}: Pick<TrainerOptions<unknown, unknown, T, Schedule, C>, 'diffusion' | 'process' | 'loss' | 'timesteps'>) => {
  checkArgument(
    diffusion === undefined || process === undefined,
    'trainer',
    'both a diffusion and a process',
    'it trains for one of them',
    'Leave out the process, which follows from the diffusion.',
  );
  if (loss !== undefined) checkFunctions('trainer', { loss });
  if (process !== undefined) {
    checkProcess('trainer', process);
    checkTimeSampler(timesteps);
    return { levelAt: process.levelAt, lossOf: loss ?? denoisingLoss<C>(), timesteps: timesteps! };
  }
  checkDiffusion('trainer', diffusion!);
  if (timesteps !== undefined) checkTimeSampler(timesteps);
  return {
    levelAt: levelsOfTimesteps(diffusion!),
    lossOf: loss ?? gaussianLossFor('trainer step', diffusion!),
    timesteps: timesteps ?? (uniformSampler(diffusion!.numTimesteps) as TimeSampler<unknown> as StepTimeSampler<T>),
  };
};

/**
 * Training of a diffusion model as a pure step: draw a time and noise for each example, take the gradient of the mean loss,
 * update parameters, their averages, and what the sampler of times knows of the losses (Ho et al. 2020, arXiv:2006.11239,
 * algorithm 1; for classifier-free guidance Ho & Salimans 2022, arXiv:2207.12598, algorithm 1).
 *
 * A step is one compiled program. It draws from `foldIn(key, step)`: a state that was saved goes on as if it had not been.
 *
 * @param options see {@link TrainerOptions}
 * @returns `init(key)` and `step(state, batch)`; the batch is a float tensor [N, …], or `{ x, inputs }` with tensors [N, …] by
 *   the names under which the model takes them
 * @throws ArgumentError for what is no diffusion, process, model, loss, optimizer, sampler or decay; the step: ArgumentError
 *   for a decay outside [0, 1] and for a state of something else, ShapeError when the batch or an input has no batch axis,
 *   DTypeError when the batch is no float
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { gaussianDiffusion, linearBetas, trainer } from 'tenfold/diffusion';
 * import { residualMlp } from 'tenfold/nn';
 * import { adam } from 'tenfold/optim';
 * import { key } from 'tenfold/random';
 * const model = residualMlp({ size: 4, hidden: 8, blocks: 1 });
 * const { init, step } = trainer({ diffusion: gaussianDiffusion(linearBetas(50)), model, optimizer: adam(1e-3) });
 * const [state, { loss }] = step(init(key(0)), zeros([2, 4]));
 * state.step.item(); // => 1
 * loss.shape; // => []
 * ```
 * @example
 * A flow on the straight line, with two averages:
 * ```js
 * import { denoisingLoss, flowProcess, logitNormalSampler, trainer } from 'tenfold/diffusion';
 * import { residualMlp } from 'tenfold/nn';
 * import { adam } from 'tenfold/optim';
 * import { key } from 'tenfold/random';
 * const { init } = trainer({
 *   process: flowProcess({ timeScale: 1000 }),
 *   model: residualMlp({ size: 4, hidden: 8, blocks: 1 }),
 *   loss: denoisingLoss({ prediction: 'velocity' }),
 *   timesteps: logitNormalSampler({ timeScale: 1000 }),
 *   optimizer: adam(1e-3),
 *   ema: { short: 0.99, long: 0.9999 },
 * });
 * Object.keys(init(key(0)).ema); // => ['short', 'long']
 * ```
 */
export const trainer = <P, S, T = null, M extends EmaDecays = Schedule, C = unknown>(
  options: TrainerOptions<P, S, T, M, C>,
): Trainer<P, S, T, M, C> => {
  checkOptions('trainer', names, options);
  const { model, optimizer, conditioningDropout, skipNonFinite = false } = options ?? {};
  const { ema = emaWarmup(0.999) as Schedule as M } = options ?? {};
  const { levelAt, lossOf, timesteps } = sourceOf<T, C>(options ?? {});
  checkArgument(
    typeof model?.init === 'function' && typeof model.apply === 'function',
    'trainer',
    `${kindOf(model)} as the model`,
    'a model is a layer, with the functions init and apply',
    'Take one of tenfold/nn, or write { init: key => params, apply: (params, x, t) => … }.',
  );
  checkTransform('trainer', optimizer);
  checkDecays(ema);
  checkFlag('trainer', 'skipNonFinite', skipNonFinite);
  checkDropout(conditioningDropout);

  const zero = (): Tensor<readonly [], 'int32'> => tensor(0, { dtype: 'int32' });
  const init = (key: Key): TrainState<P, S, T, M> => {
    keyNode('trainer init', key);
    const [forParams, forSteps] = split(key, 2) as readonly [Key, Key];
    const params = model.init(forParams);
    return realize(
      Object.freeze({
        params,
        optimizer: optimizer.init(params),
        ema: firstAverages(ema, params),
        timesteps: timesteps.init(),
        key: forSteps,
        step: zero(),
        skipped: zero(),
      }),
    );
  };
  const step = (
    state: TrainState<P, S, T, M>,
    batch: TrainBatch<ModelConditions<C>>,
  ): readonly [TrainState<P, S, T, M>, TrainMetrics] => {
    const { x, inputs } = examplesOf(batch);
    const stepsDone = stepOf(state);
    const [count] = x.shape as readonly [number];
    const keys = split(foldIn(state.key, stepsDone), 4) as readonly Key[];
    const [forTimes, forNoise, forModel, forInputs] = keys as readonly [Key, Key, Key, Key];
    const { t, weights } = checkedTimes(timesteps.sample(state.timesteps, forTimes, count, stepsDone), count);
    const noise = normal(forNoise, x.shape, { dtype: x.dtype as 'float32' });
    const context = { ...withoutSome(inputs, conditioningDropout, forInputs), key: forModel } as C;
    // The parameters that learn are marked below, so no derivative leads into the averages.
    const average = (name?: string): Model<C> => {
      const held = averageNamed(ema, state.ema, name);
      return (z, at, given) => model.apply(held, z, at, given);
    };
    const example = { xStart: x, t, level: levelAt(t, x), noise, inputs: context, step: stepsDone, average };
    const meanLoss = (params: P) => {
      const losses = lossOf((z, at, given) => model.apply(params, z, at, given), example);
      checkLosses('trainer step', losses, count);
      return [mean(mul(losses.loss, cast(weights, losses.loss.dtype) as Tensor)), losses] as const;
    };
    zipFloats('trainer step', p => p!, state.params);
    const [[loss, losses], gradient] = valueAndGrad(meanLoss, { aux: true })(state.params);
    const [updates, optimized] = updateBy('trainer step', optimizer, gradient, state.optimizer, state.params);
    const params = zipFloats('trainer step', (p, u) => add(p!, u!), state.params, updates);
    const gradientNorm = globalNorm(gradient);
    const after = {
      params,
      optimizer: optimized,
      ema: averaged(ema, state.ema, params, stepsDone),
      timesteps: timesteps.update(state.timesteps, t, losses.loss),
    };
    const unlessNonFinite = (): { readonly skipped: Tensor } => {
      const { skipped } = state;
      if (!skipNonFinite) return { ...after, skipped };
      const ok = logicalAnd(areFinite(loss), areFinite(gradientNorm)) as Tensor;
      const before = { params: state.params, optimizer: state.optimizer, ema: state.ema, timesteps: state.timesteps };
      const chosen = zipWith((now, then) => where(ok, now as Tensor, then as Tensor), after, before);
      return { ...chosen, skipped: where(ok, skipped as Tensor, add(skipped, 1)) as Tensor };
    };
    const others = Object.entries(losses).filter(([name]) => name !== 'loss');
    const metrics = {
      loss,
      gradientNorm,
      terms: Object.fromEntries(others.map(([name, each]) => [name, mean(each as Tensor<Shape, DType>)])),
    };
    const last = { ...unlessNonFinite(), key: state.key, step: add(stepsDone, 1) };
    return [last as TrainState<P, S, T, M>, metrics as TrainMetrics] as const;
  };
  // One program for the whole step, made once for each form of batch.
  return Object.freeze({ init, step: jit(step) });
};
