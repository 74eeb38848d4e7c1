/** Which times a step of training draws, and the noise levels that belong to them. */
import type { Key } from '../random/key.js';
import type { DType } from '../tensor/dtype.js';
import { ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { take } from '../tensor/ops/indexing/indexing.js';
import { checkArgument, type Shape, sameShape, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { type GaussianDiffusion, modelTimesteps } from './gaussian-diffusion.js';
import type { NoiseLevel } from './level.js';
import type { TimeSample, TimeSampler } from './timestep-samplers.js';

/** A distribution over times, as a {@link TimeSampler} is one, that may change with the number of steps done. */
export interface StepTimeSampler<State, D extends DType = DType> extends Omit<TimeSampler<State, D>, 'sample'> {
  /** Times for a batch, and the weights of their losses; `step` is an int32 scalar. */
  readonly sample: (state: State, key: Key, batch: number, step: Tensor) => TimeSample<D>;
}

/**
 * Refuses what is no sampler of times.
 *
 * @throws ArgumentError
 */
export const checkTimeSampler = (timesteps: unknown): void => {
  const { init, sample, update } = (timesteps ?? {}) as Record<string, unknown>;
  checkArgument(
    [init, sample, update].every(f => typeof f === 'function'),
    'trainer',
    `${kindOf(timesteps)} as the sampler of timesteps`,
    'it has the functions init, sample and update; a process has no default',
    'Take uniformSampler(1000) for a diffusion, logNormalSampler() for edmProcess(), stratifiedSampler() for flowProcess().',
  );
};

/**
 * What a sampler of times drew for a batch of N.
 *
 * @throws ArgumentError, ShapeError
 */
export const checkedTimes = (drawn: TimeSample, count: number): TimeSample => {
  const { t, weights } = (drawn ?? {}) as Partial<TimeSample>;
  const operation = 'trainer step';
  checkArgument(
    isTensor(t) && isTensor(weights),
    operation,
    `a sampler of timesteps that draws ${kindOf(drawn)}`,
    'what is drawn are the times t and the weights of their losses, tensors',
    'Write { t, weights: ones([batch]) }.',
  );
  if ([t!, weights!].every(({ shape }) => sameShape(shape, [count]))) return drawn;
  throw new ShapeError({
    operation,
    given: `times ${showAval(t!)} and weights ${showAval(weights!)} for a batch of ${count}`,
    rule: 'there is one time and one weight for each example, [N]',
    hint: 'Draw as many as sample(state, key, batch) is asked for.',
  });
};

/** The levels of timesteps, looked up. */
export const levelsOfTimesteps =
  (diffusion: GaussianDiffusion) =>
  (t: Tensor, x: Tensor): NoiseLevel => {
    const known = (table: readonly number[]): Tensor =>
      take(tensor(table, { dtype: 'float64' }), t as Tensor<Shape, 'int32'>) as Tensor;
    return {
      alpha: known(diffusion.sqrtAlphasCumprod),
      sigma: known(diffusion.sqrtOneMinusAlphasCumprod),
      time: cast(modelTimesteps(diffusion, t, x), 'float64') as Tensor,
    };
  };
