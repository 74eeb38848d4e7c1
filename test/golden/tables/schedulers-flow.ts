/** The schedulers of diffusers for flow matching: which samplers and levels they are here. */
import { type Tensor, tensor } from 'tenfold';
import {
  addNoise,
  betaSigmas,
  ddim,
  denoiser,
  exponentialSigmas,
  flowHeun,
  flowProcess,
  flowShift,
  karrasSigmas,
  type Levels,
  lcm,
  levelsAt,
  stretchToTerminal,
} from 'tenfold/diffusion';
import { at, type JsonObject, numberOf, numbersOf, stringOf, unknownCase, withinF64 } from '../read.js';
import type { SchedulerCase, SchedulerRun, SchedulerTable } from '../schedulers.js';
import { flagOf, given } from './scheduler-config.js';

/** The sigmas of a run without the last one, and the times that the network is shown in their place. */
interface FlowSigmas {
  readonly sigmas: readonly number[];
  readonly times: readonly number[];
  readonly last: 0 | 1;
}

const optional = (json: JsonObject, name: string, otherwise: number): number =>
  given(json, name) ? numberOf(json[name]) : otherwise;

/** n of the timesteps T … 1, as sigmas, shifted already. */
const even = (T: number, n: number, shift: number): readonly number[] => {
  const [max, min] = flowShift([1, 1 / T], shift);
  return karrasSigmas(n, { max: max!, min: min!, rho: 1 });
};

const dynamicShifts: Readonly<Record<string, (mu: number) => number>> = { exponential: Math.exp, linear: mu => mu };

const conversions = {
  use_karras_sigmas: karrasSigmas,
  use_exponential_sigmas: exponentialSigmas,
  use_beta_sigmas: betaSigmas,
};

const shiftOf = ({ config, setTimesteps }: SchedulerCase): number => {
  if (!flagOf(config, 'use_dynamic_shifting')) return numberOf(at(config, 'shift'));
  const type = stringOf(at(config, 'time_shift_type'));
  const of = Object.hasOwn(dynamicShifts, type) ? dynamicShifts[type]! : unknownCase('time_shift_type', type);
  return of(numberOf(at(setTimesteps, 'mu')));
};

const eulerSigmas = (run: SchedulerCase): FlowSigmas => {
  const { config, setTimesteps } = run;
  const T = numberOf(at(config, 'num_train_timesteps'));
  const shown = given(setTimesteps, 'timesteps') ? numbersOf(setTimesteps.timesteps) : undefined;
  const first = given(setTimesteps, 'sigmas')
    ? numbersOf(setTimesteps.sigmas)
    : (shown?.map(t => t / T) ??
      even(
        T,
        numberOf(at(setTimesteps, 'num_inference_steps')),
        flagOf(config, 'use_dynamic_shifting') ? 1 : numberOf(at(config, 'shift')),
      ));
  const shifted = flowShift(first, shiftOf(run));
  const terminal = optional(config, 'shift_terminal', 0);
  const stretched = terminal === 0 ? shifted : stretchToTerminal(shifted, terminal);
  const name = (Object.keys(conversions) as (keyof typeof conversions)[]).find(each => flagOf(config, each));
  const range = { max: stretched[0]!, min: stretched.at(-1)! };
  const sigmas = name === undefined || stretched.length === 1 ? stretched : conversions[name](stretched.length, range);
  if (!flagOf(config, 'invert_sigmas')) return { sigmas, times: shown ?? sigmas.map(sigma => sigma * T), last: 0 };
  const inverted = sigmas.map(sigma => 1 - sigma);
  return { sigmas: inverted, times: inverted.map(sigma => sigma * T), last: 1 };
};

const heunSigmas = ({ config, setTimesteps }: SchedulerCase): FlowSigmas => {
  const T = numberOf(at(config, 'num_train_timesteps'));
  const shift = numberOf(at(config, 'shift'));
  const sigmas = flowShift(even(T, numberOf(at(setTimesteps, 'num_inference_steps')), shift), shift);
  return { sigmas, times: sigmas.map(sigma => sigma * T), last: 0 };
};

/** All but the first, and the last where it is the end, twice. */
const doubled = (values: readonly number[]): readonly number[] => [values[0]!, ...values.slice(1).flatMap(v => [v, v])];

const near = (run: SchedulerCase, name: 'timesteps' | 'sigmas', got: readonly number[]): void => {
  const wanted = run.reference(name);
  const values = (list: readonly number[]) => ({ shape: [list.length], data: Float64Array.from(list) });
  withinF64(`${run.name}: ${name}`, values(got), values(wanted), 1e-9);
};

const levelsFor = ({ config }: SchedulerCase, { sigmas, times, last }: FlowSigmas): Levels => {
  const T = numberOf(at(config, 'num_train_timesteps'));
  const process = flowProcess({ timeScale: T });
  const all = [...sigmas, last].map(sigma => sigma * T);
  const levels = levelsAt(process, all, { final: 'none' });
  return { ...levels, time: tensor([...times, last * T], { dtype: 'float64' }) as Tensor };
};

const velocities = ({ model }: SchedulerCase) => denoiser(model, { prediction: 'velocity' });

const euler = (run: SchedulerCase): SchedulerRun => {
  const made = eulerSigmas(run);
  near(run, 'timesteps', made.times);
  near(run, 'sigmas', [...made.sigmas, made.last]);
  const sampler = flagOf(run.config, 'stochastic_sampling') ? lcm() : ddim();
  return { sampler, denoiser: velocities(run), levels: levelsFor(run, made) };
};

const heun = (run: SchedulerCase): SchedulerRun => {
  const made = heunSigmas(run);
  near(run, 'timesteps', doubled(made.times));
  near(run, 'sigmas', [...doubled(made.sigmas), 0]);
  const { stepArgs } = run;
  const churn = optional(stepArgs, 's_churn', 0);
  const sampler = flowHeun({
    churn,
    min: optional(stepArgs, 's_tmin', 0),
    max: optional(stepArgs, 's_tmax', Number.POSITIVE_INFINITY),
    noise: optional(stepArgs, 's_noise', 1),
  });
  const calls = made.sigmas.map((_, i) => (i + 1 < made.sigmas.length ? 2 : 1));
  return { sampler, denoiser: velocities(run), levels: levelsFor(run, made), calls, draws: churn > 0 };
};

export const flowSchedulers: SchedulerTable = { FlowMatchEulerDiscrete: euler, FlowMatchHeunDiscrete: heun };

/** Data at the levels of some of the timesteps, which of Heun's method are there twice. */
export const scaleNoise = (run: SchedulerCase): Tensor => {
  const { index } = run.timestepsGiven;
  const isHeun = run.scheduler === 'FlowMatchHeunDiscrete';
  const { sigmas } = isHeun ? heunSigmas(run) : eulerSigmas(run);
  const sigmaAt = (i: number): number => sigmas[isHeun ? Math.ceil(i / 2) : i]!;
  const sigma = typeof index === 'number' ? sigmaAt(index) : numbersOf(index).map(sigmaAt);
  const level = flowProcess().levelAt(tensor(sigma, { dtype: 'float64' }) as Tensor);
  return addNoise(run.input('original'), level, run.input('noise'));
};
