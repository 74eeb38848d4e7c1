/** The six samplers that are compared, all at the same noise levels and with the same number of calls of the network. */

import {
  ddim,
  ddpm,
  dpmSolverMultistep,
  edmStochastic,
  heun,
  karrasSigmas,
  type Levels,
  levelsOf,
  type Sampler,
  type SamplerState,
  uniPc,
} from 'tenfold/diffusion';
import { process } from './model.js';

/** A sampler as the page shows it. */
export interface Shown {
  readonly name: string;
  /** Whether its steps draw noise. */
  readonly kind: 'sde' | 'ode';
  readonly title: string;
  readonly source: string;
  readonly about: string;
  /** The same in all pictures: those of the palette of Okabe and Ito that stand out on white and on black. */
  readonly color: string;
  readonly symbol: 'circle' | 'rect' | 'triangle' | 'diamond';
  readonly callsPerStep: 1 | 2;
  readonly sampler: Sampler;
}

/** A state of its own kind is carried from step to step, and nobody else looks at it. */
const anyState = <S extends SamplerState>(sampler: Sampler<S>): Sampler => sampler as unknown as Sampler;

/** The churn per step is at most the paper's √2 − 1, where details are formed. */
const churning = { churn: 8, min: 0.05, max: 10, noise: 1.003 };

export const samplers: readonly Shown[] = Object.freeze([
  {
    name: 'ddpm',
    kind: 'sde',
    title: 'DDPM',
    source: 'Ho et al. 2020',
    about: 'SDE, ancestral, first order',
    color: '#d55e00',
    symbol: 'circle',
    callsPerStep: 1,
    sampler: ddpm(),
  },
  {
    name: 'edm',
    kind: 'sde',
    title: 'EDM stochastic',
    source: 'Karras et al. 2022',
    about: 'SDE, churn, second order',
    color: '#cc79a7',
    symbol: 'rect',
    callsPerStep: 2,
    sampler: edmStochastic(churning),
  },
  {
    name: 'ddim',
    kind: 'ode',
    title: 'DDIM',
    source: 'Song et al. 2021',
    about: 'ODE, first order',
    color: '#e69f00',
    symbol: 'triangle',
    callsPerStep: 1,
    sampler: ddim(),
  },
  {
    name: 'heun',
    kind: 'ode',
    title: 'Heun',
    source: 'Karras et al. 2022',
    about: 'ODE, second order',
    color: '#009e73',
    symbol: 'diamond',
    callsPerStep: 2,
    sampler: heun(),
  },
  {
    name: 'dpm-solver',
    kind: 'ode',
    title: 'DPM-Solver++ 2M',
    source: 'Lu et al. 2022',
    about: 'ODE, second order multistep',
    color: '#2f7fd0',
    symbol: 'circle',
    callsPerStep: 1,
    sampler: anyState(dpmSolverMultistep()),
  },
  {
    name: 'unipc',
    kind: 'ode',
    title: 'UniPC',
    source: 'Zhao et al. 2023',
    about: 'ODE, predictor-corrector',
    color: '#56b4e9',
    symbol: 'rect',
    callsPerStep: 1,
    sampler: anyState(uniPc()),
  },
]);

/** The ratio σ / α that runs start from and the last above 0. */
export const [sigmaMax, sigmaMin] = [20, 0.01] as const;

/** A run of about so many calls: its levels, its steps and the calls it takes. The step to the data is always Euler's. */
export const runOf = (
  { callsPerStep }: Shown,
  budget: number,
): { readonly levels: Levels; readonly steps: number; readonly calls: number } => {
  const steps = Math.ceil(budget / callsPerStep);
  const levels = levelsOf(process, karrasSigmas(steps, { min: sigmaMin, max: sigmaMax }));
  return Object.freeze({ levels, steps, calls: callsPerStep * steps - (callsPerStep - 1) });
};
