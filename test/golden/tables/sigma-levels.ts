/** The levels of diffusers' schedulers in σ: their timesteps, the sigmas at them, and how these are spread anew. */

import { tensor } from 'tenfold';
import {
  betaSigmas,
  diffusionCoefficients,
  edmProcess,
  exponentialSigmas,
  inferenceTimesteps,
  karrasSigmas,
  type Levels,
  levelsOf,
  type Process,
  rescaleProcess,
  type TimestepSpacing,
} from 'tenfold/diffusion';
import { expect } from 'vitest';
import { at, type JsonObject, numberOf, numbersOf, stringOf, unknownCase } from '../read.js';
import { betasOf, flagOf, given, processOf } from './scheduler-config.js';

/** A run in σ = σ / α, where samples are x₀ + σ ε. */
export interface SigmaSchedule {
  /** Where steps begin and end. */
  readonly sigmas: readonly number[];
  /** What the network is shown where steps begin. */
  readonly timesteps: readonly number[];
  /** Variance exploding. */
  readonly process: Process;
}

/** What of a case says where its levels are. */
export interface ScheduleOptions {
  readonly config: JsonObject;
  readonly setTimesteps: JsonObject;
}

/** ᾱ of the last timestep where a schedule is rescaled to end without signal: these schedulers divide by it. */
const terminal = 2 ** -24;

const linspace = (start: number, stop: number, n: number): readonly number[] =>
  Array.from({ length: n }, (_, i) => (i === 0 ? start : start + (i * (stop - start)) / (n - 1)));

/** numpy.interp over whole numbers from 0 on. */
const interpolated = (place: number, values: readonly number[]): number => {
  const kept = Math.min(Math.max(place, 0), values.length - 1);
  const low = Math.min(Math.floor(kept), values.length - 2);
  return values[low]! + (kept - low) * (values[low + 1]! - values[low]!);
};

/**
 * σ / α at each timestep of training. Where the schedule is rescaled, the last but one is above the last, since only the
 * last ᾱ, which would be 0, is set.
 */
export const trainingSigmas = (config: JsonObject): readonly number[] => {
  const { alphasCumprod } = diffusionCoefficients(betasOf(config));
  const known = flagOf(config, 'rescale_betas_zero_snr') ? alphasCumprod.with(-1, terminal) : alphasCumprod;
  return known.map(a => Math.sqrt((1 - a) / a));
};

/** The process of training, where sigmas between its timesteps have times between them. */
const trainingProcess = (config: JsonObject): Process => rescaleProcess(processOf(config), 'exploding');

/** The times of sigmas: between those of training linear in log σ. */
const timesOf = (training: readonly number[], sigmas: readonly number[]): readonly number[] =>
  sigmas.map(sigma => {
    const low = Math.min(
      Math.max(
        training.findLastIndex(known => known <= sigma),
        0,
      ),
      training.length - 2,
    );
    const [below, above] = [Math.log(training[low]!), Math.log(training[low + 1]!)];
    return low + Math.min(Math.max((Math.log(sigma) - below) / (above - below), 0), 1);
  });

/** Whether the sigmas are spread anew. */
export const respread = (config: JsonObject): boolean =>
  ['use_karras_sigmas', 'use_exponential_sigmas', 'use_beta_sigmas'].some(name => flagOf(config, name));

/** n sigmas between the first and the last of those given, or between those that the configuration names. */
export const spreadSigmas = (config: JsonObject, sigmas: readonly number[], n: number): readonly number[] => {
  const min = given(config, 'sigma_min') ? numberOf(config.sigma_min) : sigmas.at(-1)!;
  const max = given(config, 'sigma_max') ? numberOf(config.sigma_max) : sigmas[0]!;
  if (flagOf(config, 'use_karras_sigmas')) return karrasSigmas(n, { min, max });
  if (flagOf(config, 'use_exponential_sigmas')) return exponentialSigmas(n, { min, max });
  return flagOf(config, 'use_beta_sigmas') ? betaSigmas(n, { min, max }) : sigmas;
};

/** Timesteps by the configuration's spacing; those of linspace are not rounded. */
const spacedTimesteps = (config: JsonObject, n: number): readonly number[] => {
  const T = numberOf(at(config, 'num_train_timesteps'));
  const spacing = stringOf(at(config, 'timestep_spacing')) as TimestepSpacing;
  if (spacing === 'linspace') return linspace(0, T - 1, n).toReversed();
  const offset = spacing === 'leading' ? numberOf(at(config, 'steps_offset')) : 0;
  return inferenceTimesteps(T, n, { spacing, offset });
};

const lastSigma = (config: JsonObject, sigma: number): number => {
  const type = given(config, 'final_sigmas_type') ? stringOf(config.final_sigmas_type) : 'zero';
  if (type === 'zero') return 0;
  return type === 'sigma_min' ? sigma : unknownCase('final_sigmas_type', type);
};

/** What a network of EDM is shown. */
const logarithmic = (sigmas: readonly number[]): readonly number[] => sigmas.map(sigma => Math.log(sigma) / 4);

const discreteSchedule = ({ config, setTimesteps }: ScheduleOptions): SigmaSchedule => {
  const [training, process] = [trainingSigmas(config), trainingProcess(config)];
  if (given(setTimesteps, 'sigmas')) {
    const sigmas = numbersOf(setTimesteps.sigmas);
    return { sigmas, timesteps: timesOf(training, sigmas.slice(0, -1)), process };
  }
  const custom = given(setTimesteps, 'timesteps') ? numbersOf(setTimesteps.timesteps) : undefined;
  const timesteps = custom ?? spacedTimesteps(config, numberOf(at(setTimesteps, 'num_inference_steps')));
  const n = timesteps.length;
  const interpolation = given(config, 'interpolation_type') ? stringOf(config.interpolation_type) : 'linear';
  const between: Readonly<Record<string, () => readonly number[]>> = {
    linear: () => timesteps.map(t => interpolated(t, training)),
    // One more than there are timesteps.
    log_linear: () => exponentialSigmas(n + 1, { min: training[0]!, max: training.at(-1)! }),
  };
  const make = Object.hasOwn(between, interpolation)
    ? between[interpolation]!
    : unknownCase('interpolation_type', interpolation);
  const sigmas = spreadSigmas(config, make(), n);
  return {
    sigmas: [...sigmas, lastSigma(config, training[0]!)],
    timesteps: respread(config) ? timesOf(training, sigmas) : timesteps,
    process,
  };
};

/** The schedule of a case in the manner of k-diffusion. */
export const sigmaSchedule = (options: ScheduleOptions): SigmaSchedule => {
  const schedule = discreteSchedule(options);
  const { timestep_type: type = 'discrete', prediction_type: prediction } = options.config;
  if (type !== 'discrete' && type !== 'continuous') return unknownCase('timestep_type', stringOf(type));
  // Other predictions are shown discrete times all the same.
  const shown = type === 'continuous' && prediction === 'v_prediction';
  return shown ? { ...schedule, timesteps: logarithmic(schedule.sigmas.slice(0, -1)) } : schedule;
};

/** The schedule of a case in the manner of EDM. */
export const edmSchedule = ({ config, setTimesteps }: ScheduleOptions): SigmaSchedule => {
  const [min, max] = [numberOf(at(config, 'sigma_min')), numberOf(at(config, 'sigma_max'))];
  const n = numberOf(at(setTimesteps, 'num_inference_steps'));
  const type = stringOf(at(config, 'sigma_schedule'));
  const kinds: Readonly<Record<string, () => readonly number[]>> = {
    karras: () => karrasSigmas(n, { min, max, rho: numberOf(at(config, 'rho')) }),
    exponential: () => exponentialSigmas(n, { min, max }),
  };
  const sigmas = (Object.hasOwn(kinds, type) ? kinds[type]! : unknownCase('sigma_schedule', type))();
  return {
    sigmas: [...sigmas, lastSigma(config, sigmas.at(-1)!)],
    timesteps: logarithmic(sigmas),
    process: edmProcess(),
  };
};

/** The levels of a schedule; with as many steps as there are timesteps, whatever the number of sigmas. */
export const levelsFrom = ({ sigmas, timesteps, process }: SigmaSchedule): Levels => {
  const levels = levelsOf(process, sigmas.slice(0, timesteps.length + 1), { final: 'none' });
  return Object.freeze({ ...levels, time: tensor([...timesteps, 0], { dtype: 'float64' }) }) as Levels;
};

/** That timesteps and sigmas are those of the reference. */
export const checkSchedule = (
  reference: (name: 'timesteps' | 'sigmas') => readonly number[],
  { timesteps, sigmas }: Pick<SigmaSchedule, 'timesteps' | 'sigmas'>,
): void => {
  for (const [name, ours] of Object.entries({ timesteps, sigmas })) {
    const theirs = reference(name as 'timesteps' | 'sigmas');
    expect(ours.length, name).toBe(theirs.length);
    // Timesteps that were not made from sigmas.
    const exact = name === 'timesteps' && theirs.every(Number.isInteger);
    for (const [i, value] of theirs.entries()) {
      const bound = exact ? 0 : 1e-9 * (1 + Math.abs(value));
      expect(Math.abs(ours[i]! - value), `${name}[${i}]`).toBeLessThanOrEqual(bound);
    }
  }
};
