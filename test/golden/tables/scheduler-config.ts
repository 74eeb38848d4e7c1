/** What the schedulers of diffusers have in common: the betas of a configuration and the process they make. */
import {
  betasForAlphaBar,
  cosineBetas,
  discreteProcess,
  exponentialBetas,
  gaussianDiffusion,
  linearBetas,
  type Process,
  rescaleZeroTerminalSnr,
  scaledLinearBetas,
  sigmoidBetas,
} from 'tenfold/diffusion';
import { at, booleanOf, type JsonObject, numberOf, numbersOf, stringOf, unknownCase } from '../read.js';

/** A flag of a configuration; false where the scheduler does not know it. */
export const flagOf = (config: JsonObject, name: string): boolean =>
  config[name] !== undefined && config[name] !== null && booleanOf(config[name]);

/** Whether a configuration has a value; what is left out may be null. */
export const given = (config: JsonObject, name: string): boolean => config[name] !== undefined && config[name] !== null;

/** What the reference's `laplace` takes for ᾱ. */
const laplace = (t: number): number => {
  const half = -0.5 * (t > 0.5 ? -1 : 1) * Math.log(1 - 2 * Math.abs(0.5 - t) + 1e-6);
  return Math.sqrt(1 / (1 + Math.exp(-half)));
};

type Range = { readonly start: number; readonly end: number };

const schedules: Readonly<Record<string, (T: number, range: Range) => readonly number[]>> = {
  linear: linearBetas,
  scaled_linear: scaledLinearBetas,
  squaredcos_cap_v2: cosineBetas,
  sigmoid: sigmoidBetas,
  exp: T => exponentialBetas(T),
  laplace: T => betasForAlphaBar(T, laplace),
};

/** The betas of a configuration. */
export const betasOf = (config: JsonObject): readonly number[] => {
  const T = numberOf(at(config, 'num_train_timesteps'));
  const name = stringOf(at(config, 'beta_schedule'));
  const make = Object.hasOwn(schedules, name) ? schedules[name]! : unknownCase('beta_schedule', name);
  const range = { start: numberOf(config.beta_start), end: numberOf(config.beta_end) };
  const betas = given(config, 'trained_betas') ? numbersOf(config.trained_betas) : make(T, range);
  return flagOf(config, 'rescale_betas_zero_snr') ? rescaleZeroTerminalSnr(betas) : betas;
};

/** The process of a configuration's betas. */
export const processOf = (config: JsonObject): Process => discreteProcess(gaussianDiffusion(betasOf(config)));
