/**
 * Training is a pure step: everything that changes is in the state, so a run that is saved and resumed goes on
 * bit for bit as if it had not stopped.
 */
import type { Layer } from '../nn/layer.js';
import { emaWarmup, updateEmaFor } from '../optim/ema.js';
import { zipFloats } from '../optim/leaves.js';
import { checkTransform, type GradientTransform, type Schedule, updateBy } from '../optim/transform.js';
import { normal, randint } from '../random/draw.js';
import { foldIn, type Key, keyNode, split } from '../random/key.js';
import { isFloat } from '../tensor/dtype.js';
import { DTypeError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { add } from '../tensor/ops/elementwise/arithmetic.js';
import { mean } from '../tensor/ops/reduction/reduction.js';
import { checkArgument, type Shape, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { valueAndGrad } from '../tensor/transform/grad.js';
import { jit } from '../tensor/transform/jit.js';
import { realize } from '../tensor/transform/realize.js';
import { checkDiffusion, type GaussianDiffusion } from './gaussian-diffusion.js';
import { trainingLossesFor } from './losses.js';

/** Everything that changes while a model is trained; a tree of tensors. */
export interface TrainState<P, S> {
  readonly params: P;
  readonly optimizer: S;
  /** The exponential moving average of the parameters: what to sample with. */
  readonly ema: P;
  /** The key of the whole run; step n draws from `foldIn(key, n)`. */
  readonly key: Key;
  /** Steps done, an int32 scalar. */
  readonly step: Tensor<readonly [], 'int32'>;
}

/** What a step reports. */
export interface TrainMetrics {
  /** Mean loss of the batch, a float32 scalar. */
  readonly loss: Tensor<Shape, 'float32'>;
}

/** What training needs beside the data. */
export interface TrainOptions<P, S> {
  readonly diffusion: GaussianDiffusion;
  /** `apply(params, x, t)` gives the model's output for x [N, …] and t [N]. */
  readonly model: Layer<P, readonly [x: Tensor, t: Tensor]>;
  readonly optimizer: GradientTransform<S>;
  /** Decay of the moving average: a number, or a function of the number of steps done. Default `emaWarmup(0.999)`. */
  readonly emaDecay?: Schedule;
}

/** The two functions of a training run. */
export interface Training<P, S> {
  readonly init: (key: Key) => TrainState<P, S>;
  readonly step: (state: TrainState<P, S>, batch: Tensor) => readonly [state: TrainState<P, S>, metrics: TrainMetrics];
}

/** The number of steps done that is in a state. */
const stepOf = (state: Pick<TrainState<unknown, unknown>, 'key' | 'step'>): TrainState<unknown, unknown>['step'] => {
  const step = state?.step;
  checkArgument(
    isTensor(step) && step.dtype === 'int32' && step.shape.length === 0,
    'training step',
    `${kindOf(state)} as the state`,
    'the state is what init or the last step gave',
    'Start with init(key).',
  );
  keyNode('training step', state.key);
  return step;
};

/**
 * Training of a denoising diffusion model (Ho et al. 2020, arXiv:2006.11239, algorithm 1) as a pure step: draw a
 * timestep and noise for each example, take the gradient of the mean loss, update parameters and their average.
 *
 * @returns `init(key)` and `step(state, batch)`; the batch is a float tensor [N, …]
 * @throws ArgumentError for what is no diffusion, model, optimizer or decay; the step: ArgumentError for a decay outside
 *   [0, 1] and for a state of something else, ShapeError when the batch has no batch axis,
 *   DTypeError when it is no float
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { gaussianDiffusion, linearBetas, training } from 'tenfold/diffusion';
 * import { residualMlp } from 'tenfold/nn';
 * import { adam } from 'tenfold/optim';
 * import { key } from 'tenfold/random';
 * const model = residualMlp({ size: 4, hidden: 8, blocks: 1 });
 * const { init, step } = training({ diffusion: gaussianDiffusion(linearBetas(50)), model, optimizer: adam(1e-3) });
 * const [state, { loss }] = step(init(key(0)), zeros([2, 4]));
 * state.step.item(); // => 1
 * loss.shape; // => []
 * ```
 */
export const training = <P, S>(options: TrainOptions<P, S>): Training<P, S> => {
  checkOptions('training', ['diffusion', 'model', 'optimizer', 'emaDecay'], options);
  const { diffusion, model, optimizer, emaDecay = emaWarmup(0.999) } = options ?? {};
  checkDiffusion('training', diffusion);
  checkArgument(
    typeof model?.init === 'function' && typeof model.apply === 'function',
    'training',
    `${kindOf(model)} as the model`,
    'a model is a layer, with the functions init and apply',
    'Take one of tenfold/nn, or write { init: key => params, apply: (params, x, t) => … }.',
  );
  checkTransform('training', optimizer);
  if (typeof emaDecay !== 'function') checkNumber('training', 'emaDecay', emaDecay);
  const init = (key: Key): TrainState<P, S> => {
    keyNode('training init', key);
    const [forParams, forSteps] = split(key, 2) as readonly [Key, Key];
    const params = model.init(forParams);
    return realize(
      Object.freeze({
        params,
        optimizer: optimizer.init(params),
        ema: params,
        key: forSteps,
        step: tensor(0, { dtype: 'int32' }),
      }),
    );
  };
  const step = (state: TrainState<P, S>, batch: Tensor): readonly [TrainState<P, S>, TrainMetrics] => {
    if (!isTensor(batch) || batch.shape.length === 0) {
      throw new ShapeError({
        operation: 'training step',
        given: isTensor(batch) ? showAval(batch) : typeof batch,
        rule: 'a batch has its examples along the first axis',
        hint: 'Use expandDims(x, 0) for a batch of one.',
      });
    }
    const stepsDone = stepOf(state);
    const { dtype } = batch;
    if (!isFloat(dtype)) {
      throw new DTypeError({
        operation: 'training step',
        given: showAval(batch),
        rule: 'a batch is a float tensor',
        hint: "Scale images first, as toUnitRange does, or cast(x, 'float32').",
      });
    }
    const [forTime, forNoise] = split(foldIn(state.key, stepsDone), 2) as readonly [Key, Key];
    const t = randint(forTime, [batch.shape[0]!], 0, diffusion.numTimesteps);
    const noise = normal(forNoise, batch.shape, { dtype });
    const loss = (params: P): Tensor => {
      const predict = (x: Tensor, at: Tensor): Tensor => model.apply(params, x, at);
      return mean(trainingLossesFor('training step', diffusion, predict, batch, t, { noise }).loss);
    };
    zipFloats('training step', p => p!, state.params);
    const [value, gradient] = valueAndGrad(loss)(state.params);
    const [updates, next] = updateBy('training step', optimizer, gradient, state.optimizer, state.params);
    const params = zipFloats('training step', (p, u) => add(p!, u!), state.params, updates);
    const decay = typeof emaDecay === 'number' ? emaDecay : emaDecay(stepsDone);
    const after = {
      params,
      optimizer: next,
      ema: updateEmaFor('training step', state.ema, params, decay),
      key: state.key,
      step: add(stepsDone, 1) as Tensor<readonly [], 'int32'>,
    };
    return [after, { loss: value as Tensor<Shape, 'float32'> }] as const;
  };
  // One program for the whole step, made once for each form of batch.
  return Object.freeze({ init, step: jit(step) });
};
