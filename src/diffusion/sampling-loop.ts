/** What the samplers have in common: their options and results, and the one loop over the timesteps. */
import type { Key } from '../random/key.js';
import type { DType } from '../tensor/dtype.js';
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { full, tensor, zeros } from '../tensor/ops/creation/creation.js';
import { broadcastTo } from '../tensor/ops/movement/movement.js';
import { checkShape, range, type Shape, showAval, showShape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { type FoldOptions, fold, scan } from '../tensor/transform/loops.js';
import { checkAlike } from './checks.js';
import type { GaussianDiffusion } from './gaussian-diffusion.js';
import { checkSource, checkStack, type NoiseOptions, timestepNoise } from './noise.js';
import type { DenoiseOptions, Model } from './reverse-process.js';

/** Options of one step of a sampler. */
export interface StepOptions<E = unknown> extends DenoiseOptions<E>, NoiseOptions {
  /** The gradient of a condition, ∇ₓ log p(y | xₜ), called as the model is. */
  readonly condFn?: Model<E> | undefined;
}

/** Options of a whole run; `noise` is stacked: [steps, N, …], in the order in which it is used. */
export interface LoopOptions<E = unknown, D extends DType = DType> extends StepOptions<E> {
  /** The dtype of the samples where a shape is given to start from. Default float32. */
  readonly dtype?: D | undefined;
  /**
   * For derivatives of a whole run: into how many segments its steps are cut on the way back, as for `fold`. Without, the
   * samples of all steps are kept.
   */
  readonly segments?: FoldOptions['segments'];
}

/** What a step gives; of a trajectory, stacked along a new first axis in the order of the steps. */
export interface DiffusionSample<S extends Shape = Shape, D extends DType = DType> {
  /** The samples after the step. */
  readonly sample: Tensor<S, D>;
  /** The prediction of x₀ that the step has used. */
  readonly predXStart: Tensor<S, D>;
}

/** All steps of a run, the first one (t = T − 1, or 0 in reverse) first; each of shape [steps, N, …]. */
export interface Trajectory<S extends Shape = Shape, D extends DType = DType> {
  readonly samples: Tensor<readonly [number, ...S], D>;
  readonly predXStart: Tensor<readonly [number, ...S], D>;
}

/** A step of a sampler: x at the timesteps t, and its noise where the sampler uses any. */
type Step = (x: Tensor, t: Tensor, noise: Tensor | undefined) => DiffusionSample;

/** A run that is ready to go. */
interface Run {
  readonly start: Tensor;
  readonly xs: StepInput;
  readonly step: (x: Tensor, input: StepInput) => DiffusionSample;
}

interface StepInput {
  readonly t: Tensor;
  readonly noise?: Tensor;
}

/** How a sampler goes through the timesteps. */
export interface Plan {
  readonly operation: string;
  readonly diffusion: GaussianDiffusion;
  /** The samples to start from, or their shape. */
  readonly start: Tensor | Shape;
  readonly options: NoiseOptions & Pick<LoopOptions, 'dtype' | 'segments'>;
  /** Whether the steps take noise. */
  readonly noisy: boolean;
  /** From t = 0 up rather than from t = T − 1 down. */
  readonly ascending?: boolean;
  readonly step: Step;
}

const checkBatched = (operation: string, shape: Shape, given: string): void => {
  if (shape.length > 0) return;
  throw new ShapeError({
    operation,
    given,
    rule: 'samples have the shape [N, …]',
    hint: 'Use expandDims(x, 0) for a batch of one.',
  });
};

/** The samples to start from: given, or drawn at the timestep T, which no step draws at. */
const startOf = ({ operation, diffusion, start, options }: Plan): Tensor => {
  if (isTensor(start)) {
    checkAlike(operation, { 'the start': start });
    checkBatched(operation, start.shape, `the start ${showAval(start)}`);
    return start;
  }
  const shape = checkShape(operation, start);
  checkBatched(operation, shape, 'the shape [] to start from');
  if (options.key === undefined) {
    throw new ArgumentError({
      operation,
      given: `the shape ${showShape(shape)} and no key`,
      rule: 'to draw the samples it starts from it needs a key',
      hint: 'Pass { key: key(seed) }, or a tensor to start from.',
    });
  }
  const like = zeros(shape, { dtype: options.dtype ?? 'float32' });
  return timestepNoise(
    options.key,
    like,
    full([shape[0] ?? 0], diffusion.numTimesteps, { dtype: 'int32' }),
    options.firstSample,
  );
};

const prepare = (plan: Plan): Run => {
  const { operation, diffusion, options, noisy, ascending = false, step } = plan;
  const start = startOf(plan);
  const { noise, key, firstSample } = options;
  const steps = diffusion.numTimesteps;
  if (noisy) checkSource(operation, options);
  if (noisy && noise !== undefined) checkStack(operation, noise, start, steps);
  const up = range(steps);
  const t = tensor(ascending ? up : up.reverse(), { dtype: 'int32' });
  const noiseAt = (x: Tensor, at: Tensor): Tensor | undefined =>
    key === undefined ? undefined : timestepNoise(key as Key, x, at, firstSample);
  return {
    start,
    xs: noisy && noise !== undefined ? { t, noise } : { t },
    step: (x, input) => {
      const at = broadcastTo(input.t, [x.shape[0]!]);
      return step(x, at, noisy ? (input.noise ?? noiseAt(x, at)) : undefined);
    },
  };
};

/** The samples after the last step. The loop is one fold: its step is traced once, however many timesteps there are. */
export const runLoop = (plan: Plan): Tensor => {
  const { start, xs, step } = prepare(plan);
  const { segments } = plan.options;
  return fold((x: Tensor, input: StepInput) => step(x, input).sample, { segments })(start, xs);
};

/** The samples and predictions of every step, in one scan. */
export const runTrajectory = (plan: Plan): Trajectory => {
  const { start, xs, step } = prepare(plan);
  const { segments } = plan.options;
  const stepAndAll = (x: Tensor, input: StepInput): readonly [Tensor, DiffusionSample] => {
    const after = step(x, input);
    return [after.sample, after];
  };
  const [, { sample, predXStart }] = scan(stepAndAll, { segments })(start, xs);
  return Object.freeze({ samples: sample, predXStart }) as Trajectory;
};
