/** Samplers: two pure functions. What a sampler remembers from step to step is a tree that the loop carries. */
import { kindOf } from '../tensor/ops/common/checks.js';
import { zerosLike } from '../tensor/ops/creation/creation.js';
import { checkArgument } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { checkAlike } from './checks.js';
import type { Denoised } from './denoiser.js';
import type { NoiseLevel } from './level.js';

/** What every sampler carries. */
export interface SamplerState {
  /** The samples, [N, …]. */
  readonly x: Tensor;
  /** The last prediction of x₀; 0 before the first step. */
  readonly x0: Tensor;
}

/** One step from a level to the next. */
export interface Step {
  readonly from: NoiseLevel;
  readonly to: NoiseLevel;
  /** Steps done, an int32 scalar. */
  readonly index: Tensor;
  /** Steps in all. */
  readonly count: number;
  /**
   * Standard normal noise like the samples; a step that needs several takes draw 0, 1, …, an int32 scalar in a loop.
   */
  readonly noise: (draw?: number | Tensor) => Tensor;
  /** The level of a noise-to-signal ratio σ / α between others, a float64 scalar. */
  readonly levelOf: (ratio: Tensor) => NoiseLevel;
  /** The level of a time, a float64 scalar. */
  readonly levelAt: (time: Tensor) => NoiseLevel;
}

/** The denoiser as a step calls it: samples and their level. */
export type Denoise = (x: Tensor, level: NoiseLevel) => Denoised;

/** A sampler. `S` is its state, a tree of tensors with `x` and `x0`. */
export interface Sampler<S extends SamplerState = SamplerState> {
  /** The state before the first step. */
  readonly init: (x: Tensor) => S;
  /** The state after a step; of the form, shapes and dtypes of the state before. */
  readonly step: (state: S, at: Step, denoise: Denoise) => S;
}

/** @internal The state of samplers that remember nothing. */
export const plainState = (x: Tensor): SamplerState => Object.freeze({ x, x0: zerosLike(x) });

/**
 * @internal A state of samples like those of the start.
 *
 * @throws ArgumentError, ShapeError, DTypeError
 */
export const checkedState = <S extends SamplerState>(operation: string, state: S, start: Tensor): S => {
  checkArgument(
    isTensor(state?.x) && isTensor(state.x0),
    operation,
    `a sampler that gives ${kindOf(state)} as its state`,
    'a state has the samples x and the prediction x0',
    'Write init: x => ({ x, x0: zerosLike(x) }).',
  );
  checkAlike(operation, { 'the start': start, x: state.x, x0: state.x0 });
  return state;
};

/**
 * @internal Refuses what is no sampler.
 *
 * @throws ArgumentError
 */
export const checkSampler = <S extends SamplerState>(operation: string, sampler: Sampler<S>): void =>
  checkArgument(
    typeof sampler?.init === 'function' && typeof sampler.step === 'function',
    operation,
    `${kindOf(sampler)} as the sampler`,
    'a sampler has the functions init and step',
    'Take ddim(), or write { init, step: (state, { from, to }, denoise) => … }.',
  );
