/** The schedulers of diffusers on timesteps and consistency models: which samplers and levels they are here. */
import { concat, neg, type Tensor, tensor } from 'tenfold';
import {
  addNoise,
  combine,
  consistencyBoundary,
  ddim,
  ddpm,
  denoiser,
  inferenceTimesteps,
  type Levels,
  lcm,
  mapX0,
  type NoiseLevel,
  type Process,
  plms,
  pndm,
  type Sampler,
  type TimestepSpacing,
  tcd,
} from 'tenfold/diffusion';
import { expect } from 'vitest';
import { at, numberOf, numbersOf, stringOf, unknownCase } from '../read.js';
import {
  denoiserFor,
  type FunctionTable,
  predictions,
  type SchedulerCase,
  type SchedulerRun,
  type SchedulerTable,
} from '../schedulers.js';
import { flagOf, given, processOf } from './scheduler-config.js';
import { flowSchedulers, scaleNoise } from './schedulers-flow.js';
import { asReference, type Detour } from './schedulers-pndm.js';

const float64 = (values: number | readonly number[]): Tensor => tensor(values, { dtype: 'float64' }) as Tensor;

const trainSteps = ({ config }: SchedulerCase): number => numberOf(at(config, 'num_train_timesteps'));

const inferenceSteps = ({ setTimesteps }: SchedulerCase): number => numberOf(at(setTimesteps, 'num_inference_steps'));

/** The timesteps of a run, from noise to data. */
const timestepsOf = (run: SchedulerCase): readonly number[] => {
  if (given(run.setTimesteps, 'timesteps')) return numbersOf(run.setTimesteps.timesteps);
  const spacing = stringOf(at(run.config, 'timestep_spacing')) as TimestepSpacing;
  const offset = spacing === 'leading' ? { offset: numberOf(run.config.steps_offset) } : {};
  return inferenceTimesteps(trainSteps(run), inferenceSteps(run), { spacing, ...offset });
};

/** The timesteps of networks that were distilled for `original` evenly spaced ones. */
const distilledTimesteps = (run: SchedulerCase): readonly number[] => {
  const { config, setTimesteps } = run;
  const strength = given(setTimesteps, 'strength') ? numberOf(setTimesteps.strength) : 1;
  if (given(setTimesteps, 'timesteps')) {
    const all = numbersOf(setTimesteps.timesteps);
    return all.slice(Math.max(0, all.length - Math.trunc(all.length * strength)));
  }
  const T = trainSteps(run);
  const source = [setTimesteps, config].find(each => given(each, 'original_inference_steps'));
  const original = source === undefined ? T : numberOf(source.original_inference_steps);
  const k = Math.floor(T / original);
  const all = Array.from({ length: Math.trunc(original * strength) }, (_, i) => (i + 1) * k - 1).reverse();
  const n = inferenceSteps(run);
  return Array.from({ length: n }, (_, i) => all[Math.floor((i * all.length) / n)]!);
};

const sameTimesteps = (run: SchedulerCase, timesteps: readonly number[]): void =>
  expect(timesteps, `${run.name}: timesteps`).toEqual(run.reference('timesteps'));

const atTime = (process: Process, time: number): NoiseLevel => process.levelAt(float64(time));

const atData: NoiseLevel = { alpha: float64(1), sigma: float64(0), time: float64(0) };

/** The levels of timesteps, and a last one. */
const chain = (process: Process, timesteps: readonly number[], last: NoiseLevel): Levels => {
  const levels = process.levelAt(float64(timesteps));
  const joined = (part: 'alpha' | 'sigma' | 'time'): Tensor =>
    concat([levels[part], float64([last[part].item() as number])]) as Tensor;
  return { alpha: joined('alpha'), sigma: joined('sigma'), time: joined('time'), process };
};

/** Where steps to t − T / n lead: a chain where that is the next timestep. */
const stepsBack = (run: SchedulerCase, process: Process, timesteps: readonly number[], firstBack = 0) => {
  const last = flagOf(run.config, 'set_alpha_to_one') ? atData : atTime(process, 0);
  const ratio = Math.floor(trainSteps(run) / inferenceSteps(run));
  const ends = timesteps.map((t, i) => (i < firstBack && i + 1 < timesteps.length ? timesteps[i + 1]! : t - ratio));
  const levelTo = (t: number): NoiseLevel => (t >= 0 ? atTime(process, t) : last);
  const levels = chain(process, timesteps, levelTo(ends.at(-1)!));
  const chained = ends.slice(0, -1).every((end, i) => end === timesteps[i + 1]);
  return { levels, ends: ends.map(levelTo), chained, ratio };
};

/** The denoiser, with the noise recomputed from the clipped x₀ where the step asks for that. */
const denoiserOf = (run: SchedulerCase) => {
  const asGiven = denoiserFor(run);
  return flagOf(run.stepArgs, 'use_clipped_model_output') ? mapX0(x0 => x0)(asGiven) : asGiven;
};

const ddpmVariances = {
  fixed_small: 'fixedSmall',
  fixed_small_log: 'fixedSmall',
  fixed_large: 'fixedLarge',
  learned_range: 'learnedRange',
} as const;

const DDPM = (run: SchedulerCase): SchedulerRun => {
  const process = processOf(run.config);
  const timesteps = timestepsOf(run);
  sameTimesteps(run, timesteps);
  const name = stringOf(at(run.config, 'variance_type'));
  const known = Object.hasOwn(ddpmVariances, name);
  const variance = known ? ddpmVariances[name as keyof typeof ddpmVariances] : unknownCase('variance_type', name);
  // After a last timestep above 0 the reference draws, although it goes to the data: with a variance of at least 1e-20.
  const last = timesteps.at(-1) === 0 ? atData : { ...atData, sigma: float64(1e-10) };
  return {
    sampler: ddpm({ variance }),
    denoiser: denoiserFor(run),
    levels: chain(process, timesteps, last),
    draws: true,
  };
};

const DDIM = (run: SchedulerCase): SchedulerRun => {
  const process = processOf(run.config);
  const timesteps = timestepsOf(run);
  sameTimesteps(run, timesteps);
  const eta = run.stepArgs.eta === undefined ? 0 : numberOf(run.stepArgs.eta);
  const { levels, ends, chained } = stepsBack(run, process, timesteps);
  const made = { sampler: ddim({ eta }), denoiser: denoiserOf(run), levels };
  return chained ? made : { ...made, ends };
};

const PNDM = (run: SchedulerCase): SchedulerRun => {
  const process = processOf(run.config);
  const timesteps = timestepsOf(run);
  const skip = flagOf(run.config, 'skip_prk_steps');
  const starting = skip ? 1 : 3;
  const { levels, ends, chained, ratio } = stepsBack(run, process, timesteps, starting);
  const half = Math.floor(ratio / 2);
  const level = (t: number): NoiseLevel => atTime(process, t);
  const prediction = predictions[stringOf(at(run.config, 'prediction_type'))]!;
  // What the reference shows its model, and, in each of the first steps, where its first attempt leads.
  const starts = timesteps.slice(0, starting).map((t, i) => {
    const end = timesteps[i + 1]!;
    const middle = end + half;
    return skip
      ? { shown: [t, end], detour: { start: level(t), landing: level(t - ratio) }, asIs: end + ratio === t }
      : {
          shown: [t, middle, middle, end],
          detour: { start: level(t), landing: level(t - half), middle: level(middle) },
          asIs: t - half === middle,
        };
  });
  sameTimesteps(run, [...starts.flatMap(({ shown }) => shown), ...timesteps.slice(starting)]);
  const calls = timesteps.map((_, i) => (i < starting ? (skip ? 2 : 4) : 1));
  const sampler = (skip ? plms : pndm)({ prediction });
  const made = { denoiser: denoiserFor(run), calls };
  const asIs = starts.every(each => each.asIs);
  if (asIs && chained) return { ...made, sampler: sampler as unknown as Sampler, levels };
  const detours: readonly Detour[] = starts.map(({ detour }) => detour);
  // The second half of its first step begins at the end plus T / n, whatever the first timestep is.
  const begin = { ...level(timesteps[1]! + ratio), time: float64(timesteps[0]!) };
  const moved = skip ? { ...levels, ...withFirst(levels, begin) } : levels;
  return { ...made, sampler: asReference(sampler, detours) as unknown as Sampler, levels: moved, ends };
};

/** Levels with another first one. */
const withFirst = (levels: Levels, first: NoiseLevel): NoiseLevel => {
  const part = (name: 'alpha' | 'sigma' | 'time'): Tensor =>
    float64([first[name].item() as number, ...(levels[name].toArray() as number[]).slice(1)]);
  return { alpha: part('alpha'), sigma: part('sigma'), time: part('time') };
};

const LCM = (run: SchedulerCase): SchedulerRun => {
  const process = processOf(run.config);
  const timesteps = distilledTimesteps(run);
  sameTimesteps(run, timesteps);
  const timestepScaling = numberOf(at(run.config, 'timestep_scaling'));
  return {
    sampler: lcm(),
    denoiser: consistencyBoundary({ timestepScaling })(denoiserFor(run)),
    levels: chain(process, timesteps, atData),
    draws: true,
  };
};

const TCD = (run: SchedulerCase): SchedulerRun => {
  const process = processOf(run.config);
  const timesteps = distilledTimesteps(run);
  sameTimesteps(run, timesteps);
  const prediction = predictions[stringOf(at(run.config, 'prediction_type'))]!;
  const eta = run.stepArgs.eta === undefined ? 0.3 : numberOf(run.stepArgs.eta);
  return {
    sampler: tcd({ eta, wholeTimesteps: true }),
    // The reference clips nothing here, whatever its configuration says.
    denoiser: denoiser(run.model, { prediction }),
    levels: chain(process, timesteps, atTime(process, 0)),
    draws: true,
  };
};

export const discreteSchedulers: SchedulerTable = { DDPM, DDIM, PNDM, LCM, TCD, ...flowSchedulers };

const levelGiven = (run: SchedulerCase): NoiseLevel =>
  processOf(run.config).levelAt(float64(numbersOf(at(run.timestepsGiven, 't'))));

export const discreteFunctions: FunctionTable = {
  add_noise: run => addNoise(run.input('original'), levelGiven(run), run.input('noise')),
  get_velocity: run => {
    const { alpha, sigma } = levelGiven(run);
    return combine([alpha, run.input('noise')], [neg(sigma) as Tensor, run.input('original')]);
  },
  scale_noise: scaleNoise,
};
