/** Schedules against those of diffusers, as its golden groups record them. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cosineBetas } from '../../src/diffusion/schedules/alpha-bar.js';
import { linearBetas, scaledLinearBetas, sigmoidBetas } from '../../src/diffusion/schedules/betas.js';
import { diffusionCoefficients } from '../../src/diffusion/schedules/coefficients.js';
import { flowShift, stretchToTerminal } from '../../src/diffusion/schedules/flow-shift.js';
import { betaSigmas, exponentialSigmas, karrasSigmas } from '../../src/diffusion/schedules/sigmas.js';
import { inferenceTimesteps, type TimestepSpacing } from '../../src/diffusion/schedules/spacing.js';
import { rescaleZeroTerminalSnr } from '../../src/diffusion/schedules/zero-terminal-snr.js';
import {
  at,
  exactly,
  type GoldenCase,
  type Json,
  numberOf,
  objectOf,
  readGroup,
  stringOf,
  withinF32,
} from '../golden/read.js';

/** Beside the other groups, or where all were handed over. */
const directory = [new URL('../golden/', import.meta.url), new URL('../../../shared/golden/', import.meta.url)]
  .map(url => fileURLToPath(url))
  .find(folder => existsSync(`${folder}schedulers_sigma.json`));

const [discrete, sigma, multistep] = ['schedulers_discrete', 'schedulers_sigma', 'schedulers_multistep'].map(name =>
  readGroup(name, directory),
) as [ReturnType<typeof readGroup>, ReturnType<typeof readGroup>, ReturnType<typeof readGroup>];

type Group = typeof sigma;

/** The options of a case, the defaults of its scheduler too. */
const configOf = (group: Group, of: GoldenCase): Readonly<Record<string, Json>> => ({
  ...objectOf(at(group.index, 'config_defaults', stringOf(at(of, 'scheduler')))),
  ...objectOf(at(of, 'config')),
});

const stepsOf = (of: GoldenCase): number => numberOf(at(of, 'set_timesteps', 'num_inference_steps'));

/** Runs of a scheduler over a number of steps. */
const runsOf = (group: Group, wanted: (of: GoldenCase, config: Readonly<Record<string, Json>>) => boolean) =>
  group.cases.filter(
    of =>
      of.fn === undefined &&
      'num_inference_steps' in objectOf(at(of, 'set_timesteps')) &&
      wanted(of, configOf(group, of)),
  );

const betasOf = (config: Readonly<Record<string, Json>>): readonly number[] => {
  const T = numberOf(config.num_train_timesteps!);
  const range = { start: numberOf(config.beta_start!), end: numberOf(config.beta_end!) };
  const all: Readonly<Record<string, () => readonly number[]>> = {
    linear: () => linearBetas(T, range),
    scaled_linear: () => scaledLinearBetas(T, range),
    sigmoid: () => sigmoidBetas(T, range),
    squaredcos_cap_v2: () => cosineBetas(T),
  };
  const betas = all[stringOf(config.beta_schedule!)]!();
  return config.rescale_betas_zero_snr === true ? rescaleZeroTerminalSnr(betas) : betas;
};

const ratiosOf = (config: Readonly<Record<string, Json>>): readonly number[] =>
  diffusionCoefficients(betasOf(config)).sqrtRecipm1AlphasCumprod;

const withoutRepeats = (values: ArrayLike<number>): number[] =>
  Array.from(values).filter((value, i, all) => i === 0 || value !== all[i - 1]);

/** Relatively within 1e-12, which is that of single numbers. */
const near = (where: string, got: readonly number[], ref: readonly number[]): void => {
  expect(got.length, where).toBe(ref.length);
  got.forEach((value, i) => {
    expect(Math.abs(value - ref[i]!) / ref[i]!, `${where}, ${i}: ${value}, reference ${ref[i]}`).toBeLessThan(1e-12);
  });
};

const isSpread = (config: Readonly<Record<string, Json>>): boolean =>
  config.interpolation_type === 'log_linear' ||
  ['use_karras_sigmas', 'use_exponential_sigmas', 'use_beta_sigmas', 'use_lu_lambdas'].some(
    name => config[name] === true,
  );

/** What a config makes of sigmas from a largest to a smallest. */
const spread = (config: Readonly<Record<string, Json>>, n: number, min: number, max: number): readonly number[] => {
  if (config.use_karras_sigmas === true) return karrasSigmas(n, { min, max });
  if (config.use_beta_sigmas === true) return betaSigmas(n, { min, max });
  return exponentialSigmas(n, { min, max });
};

const sigmasOf = (group: Group, of: GoldenCase): number[] =>
  withoutRepeats(group.tensor(at(of, 'out64', 'sigmas')).data);

describe('sigmas of schedulers with betas', () => {
  // Those of KDPM2 have others between them.
  const cases = [sigma, multistep].flatMap(group =>
    runsOf(group, (of, config) => isSpread(config) && !stringOf(at(of, 'scheduler')).startsWith('KDPM2')).map(of => ({
      group,
      of,
    })),
  );

  it('are there', () => expect(cases.length).toBeGreaterThanOrEqual(20));

  it.each(cases.map(each => [each.of.name, each] as const))('%s', (name, { group, of }) => {
    const config = configOf(group, of);
    const ratios = ratiosOf(config);
    const [min, max] = [config.sigma_min ?? ratios[0]!, config.sigma_max ?? ratios.at(-1)!].map(x => numberOf(x)) as [
      number,
      number,
    ];
    // Spread in the logarithm there is one more of them.
    const n = stepsOf(of) + (config.interpolation_type === 'log_linear' ? 1 : 0);
    near(name, spread(config, n, min, max), sigmasOf(group, of).slice(0, n));
  });
});

describe('sigmas of EDM', () => {
  const cases = [sigma, multistep].flatMap(group =>
    runsOf(group, of => stringOf(at(of, 'scheduler')).startsWith('EDM')).map(of => ({ group, of })),
  );

  it('are there', () => expect(cases.length).toBeGreaterThanOrEqual(15));

  it.each(cases.map(each => [each.of.name, each] as const))('%s', (name, { group, of }) => {
    const config = configOf(group, of);
    const range = { min: numberOf(config.sigma_min!), max: numberOf(config.sigma_max!) };
    const n = stepsOf(of);
    const got =
      config.sigma_schedule === 'karras'
        ? karrasSigmas(n, { ...range, rho: numberOf(config.rho!) })
        : exponentialSigmas(n, range);
    near(name, got, sigmasOf(group, of).slice(0, n));
  });
});

describe('betas by the sigmas at integer timesteps', () => {
  const cases = runsOf(
    sigma,
    (of, config) =>
      config.beta_schedule !== undefined &&
      !isSpread(config) &&
      !stringOf(at(of, 'scheduler')).startsWith('KDPM2') &&
      stepsOf(of) === 10,
  );

  it('are there', () => {
    expect(new Set(cases.map(of => configOf(sigma, of).beta_schedule))).toEqual(
      new Set(['linear', 'scaled_linear', 'squaredcos_cap_v2']),
    );
    expect(cases.some(of => configOf(sigma, of).rescale_betas_zero_snr === true)).toBe(true);
  });

  it.each(cases.map(of => [of.name, of] as const))('%s', (name, of) => {
    const config = configOf(sigma, of);
    const ratios = ratiosOf(config);
    const spacing = stringOf(config.timestep_spacing!) as TimestepSpacing;
    const offset = spacing === 'leading' ? numberOf(config.steps_offset!) : 0;
    const times = inferenceTimesteps(ratios.length, 10, { spacing, offset });
    // Without signal at the end the reference puts a number in the place of infinity.
    const from = config.rescale_betas_zero_snr === true ? 1 : 0;
    near(name, times.map(t => ratios[t]!).slice(from), sigmasOf(sigma, of).slice(from, 10));
  });
});

describe('ᾱ of discrete schedulers, in float32', () => {
  const cases = runsOf(
    discrete,
    (of, config) => config.beta_schedule !== undefined && 'alphas_cumprod' in objectOf(at(of, 'out')),
  );

  it('are there', () => {
    expect(new Set(cases.map(of => configOf(discrete, of).beta_schedule))).toEqual(
      new Set(['linear', 'scaled_linear', 'sigmoid', 'squaredcos_cap_v2']),
    );
  });

  it.each(cases.map(of => [of.name, of] as const))('%s', (name, of) => {
    const { alphasCumprod } = diffusionCoefficients(betasOf(configOf(discrete, of)));
    withinF32(name, alphasCumprod, discrete.tensor(at(of, 'out', 'alphas_cumprod')), undefined);
  });
});

describe('timesteps', () => {
  const alone = runsOf(
    discrete,
    (of, config) => /^(DDPM|DDIM|PNDM)$/.test(stringOf(at(of, 'scheduler'))) && config.skip_prk_steps !== false,
  );
  const more = runsOf(
    multistep,
    (_, config) =>
      config.timestep_spacing !== undefined &&
      !isSpread(config) &&
      config.use_flow_sigmas !== true &&
      !Number.isFinite(config.lambda_min_clipped),
  );

  it('are there', () => {
    for (const [group, cases] of [
      [discrete, alone],
      [multistep, more],
    ] as const) {
      expect(new Set(cases.map(of => configOf(group, of).timestep_spacing))).toEqual(
        new Set(['leading', 'trailing', 'linspace']),
      );
    }
  });

  it.each(alone.map(of => [of.name, of] as const))('%s', (name, of) => {
    const config = configOf(discrete, of);
    const spacing = stringOf(config.timestep_spacing!) as TimestepSpacing;
    const offset = numberOf(config.steps_offset!);
    const times = inferenceTimesteps(numberOf(config.num_train_timesteps!), stepsOf(of), { spacing, offset });
    exactly(name, times, withoutRepeats(discrete.tensor(at(of, 'out', 'timesteps')).data));
  });

  it.each(more.map(of => [of.name, of] as const))('%s, which ends without noise', (name, of) => {
    const config = configOf(multistep, of);
    const spacing = stringOf(config.timestep_spacing!) as TimestepSpacing;
    const offset = numberOf(config.steps_offset!);
    const extra = spacing === 'trailing' ? 0 : 1;
    const n = stepsOf(of);
    const times = inferenceTimesteps(numberOf(config.num_train_timesteps!), n + extra, { spacing, offset }).slice(0, n);
    exactly(name, times, multistep.tensor(at(of, 'out', 'timesteps')).data);
  });
});

describe('sigmas of flows', () => {
  const cases = discrete.cases.filter(
    of =>
      of.fn === undefined &&
      stringOf(at(of, 'scheduler')).startsWith('FlowMatch') &&
      objectOf(at(of, 'config')).invert_sigmas !== true,
  );

  it('are there', () => expect(cases.length).toBeGreaterThanOrEqual(15));

  it.each(cases.map(of => [of.name, of] as const))('%s', (name, of) => {
    const config = configOf(discrete, of);
    const { num_inference_steps: steps, sigmas: given, mu } = objectOf(at(of, 'set_timesteps'));
    const dynamic = config.use_dynamic_shifting === true;
    const shift = numberOf(config.shift!);
    const [min] = dynamic ? [0.001] : flowShift([0.001], shift);
    const even = Array.isArray(given)
      ? given.map(x => numberOf(x))
      : karrasSigmas(numberOf(steps!), { min: min!, max: 1, rho: 1 });
    const by = !dynamic ? shift : config.time_shift_type === 'exponential' ? Math.exp(numberOf(mu!)) : numberOf(mu!);
    const shifted = flowShift(even, by);
    const terminal = config.shift_terminal;
    const ended = typeof terminal === 'number' ? stretchToTerminal(shifted, terminal) : shifted;
    const sigmas = isSpread(config) ? spread(config, ended.length, ended.at(-1)!, ended[0]!) : ended;
    near(name, sigmas, sigmasOf(discrete, of).slice(0, sigmas.length));
  });
});
