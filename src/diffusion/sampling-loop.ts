/** What the samplers of a Gaussian diffusion have in common: their options and results, and their runs. */
import type { DType, FloatDType } from '../tensor/dtype.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { expandDims } from '../tensor/ops/movement/movement.js';
import type { Shape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { type FoldOptions, fold, scan } from '../tensor/transform/loops.js';
import type { Denoiser } from './denoiser.js';
import { fallingLevels, risingLevels, stepLevels } from './gaussian-denoiser.js';
import type { GaussianDiffusion } from './gaussian-diffusion.js';
import { checkSource, checkStack, type NoiseOptions } from './noise.js';
import { discreteProcess } from './process.js';
import type { DenoiseOptions, Model } from './reverse-process.js';
import { checkStart, type Run, runOf } from './sample.js';
import { plainState, type Sampler, type SamplerState } from './sampler.js';

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

/** A sampler with its denoiser, for a diffusion. */
export interface Plan {
  readonly operation: string;
  readonly diffusion: GaussianDiffusion;
  readonly sampler: Sampler;
  readonly denoiser: Denoiser;
  /** Whether the steps take noise. */
  readonly noisy: boolean;
  /** From t = 0 up rather than from t = T − 1 down. */
  readonly ascending?: boolean;
}

/** One step from timesteps t, int32 [N]. */
export const runStep = (
  { diffusion, sampler, denoiser, ascending = false }: Plan,
  x: Tensor,
  t: Tensor,
  noise: Tensor | undefined,
): DiffusionSample => {
  const { levelAt, levelOf } = discreteProcess(diffusion);
  const at = {
    ...stepLevels(diffusion, t, ascending),
    index: tensor(0, { dtype: 'int32' }) as Tensor,
    count: 1,
    // Only plans that take noise are given any.
    noise: () => noise!,
    levelAt,
    levelOf,
  };
  const state = plainState(x);
  const after = sampler.step(state, at, (y, level) => denoiser(y, level, { inputs: null, previous: state.x0 }));
  return Object.freeze({ sample: after.x, predXStart: after.x0 });
};

type RunOptions = NoiseOptions & Pick<LoopOptions, 'dtype' | 'segments'>;

const prepare = (plan: Plan, start: Tensor | Shape, options: RunOptions = {}): Run<SamplerState> => {
  const { operation, diffusion, sampler, denoiser, noisy, ascending = false } = plan;
  const { noise, key, firstSample, dtype } = options;
  checkStart(operation, start, { key, firstSample });
  if (noisy) checkSource(operation, options);
  if (noisy && noise !== undefined && isTensor(start)) checkStack(operation, noise, start, diffusion.numTimesteps);
  const levels = ascending ? risingLevels(diffusion) : fallingLevels(diffusion);
  const draws = noisy && noise !== undefined ? { noise: expandDims(noise, 1) as Tensor } : { key };
  const wanted = { ...draws, firstSample, dtype: dtype as FloatDType | undefined };
  return runOf(operation, sampler, denoiser, levels, start, wanted);
};

/** The samples after the last step. The loop is one fold: its step is traced once, however many timesteps there are. */
export const runLoop = (plan: Plan, start: Tensor | Shape, options: RunOptions = {}): Tensor => {
  const { state, rows, step } = prepare(plan, start, options);
  return fold<SamplerState, typeof rows>(step, { segments: options.segments })(state, rows).x;
};

/** The samples and predictions of every step, in one scan. */
export const runTrajectory = (plan: Plan, start: Tensor | Shape, options: RunOptions = {}): Trajectory => {
  const { state, rows, step } = prepare(plan, start, options);
  const stepAndAll = (before: SamplerState, row: typeof rows) => {
    const after = step(before, row);
    return [after, { samples: after.x, predXStart: after.x0 }] as const;
  };
  const [, seen] = scan(stepAndAll, { segments: options.segments })(state, rows);
  return Object.freeze(seen) as Trajectory;
};
