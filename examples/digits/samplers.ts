/** The samplers by the names that the command line knows, each with the noise levels that suit it. */
import {
  ddim,
  ddpm,
  deis,
  discreteProcess,
  dpm2,
  dpmSolverMultistep,
  edmStochastic,
  euler,
  eulerAncestral,
  heun,
  inferenceTimesteps,
  karrasSigmas,
  type Levels,
  levelsAt,
  levelsOf,
  lms,
  pndm,
  type Sampler,
  type SamplerState,
  uniPc,
} from 'tenfold/diffusion';
import { diffusion, timesteps } from './model.js';
import type { SamplerName } from './options.js';

export interface NamedSampler {
  readonly sampler: Sampler;
  /** The levels of so many steps, from noise to data. */
  readonly levels: (steps: number) => Levels;
}

const process = discreteProcess(diffusion);

/** Timesteps of training, from the last one on. */
const atTimesteps = (steps: number): Levels =>
  levelsAt(process, inferenceTimesteps(timesteps, steps, { spacing: 'trailing' }));

/** For methods that go straight on in σ / α, which ends at 20 000: from where there is next to nothing of an image left. */
const atSigmas = (steps: number): Levels => levelsOf(process, karrasSigmas(steps, { min: 0.02, max: 80 }));

/** A state of its own kind is carried from step to step, and nobody else looks at it. */
const named = <S extends SamplerState>(sampler: Sampler<S>, levels: NamedSampler['levels']): NamedSampler =>
  Object.freeze({ sampler: sampler as unknown as Sampler, levels });

const samplers: Readonly<Record<SamplerName, () => NamedSampler>> = Object.freeze({
  ddim: () => named(ddim(), atTimesteps),
  ddpm: () => named(ddpm(), atTimesteps),
  'dpm++': () => named(dpmSolverMultistep(), atTimesteps),
  'dpm++sde': () => named(dpmSolverMultistep({ algorithm: 'sde-dpmsolver++' }), atTimesteps),
  unipc: () => named(uniPc(), atTimesteps),
  deis: () => named(deis(), atTimesteps),
  pndm: () => named(pndm(), atSigmas),
  euler: () => named(euler(), atSigmas),
  'euler-ancestral': () => named(eulerAncestral(), atSigmas),
  heun: () => named(heun(), atSigmas),
  dpm2: () => named(dpm2(), atSigmas),
  lms: () => named(lms(), atSigmas),
  edm: () => named(edmStochastic({ churn: 8, min: 0.05, max: 10, noise: 1.003 }), atSigmas),
});

export const samplerOf = (name: SamplerName): NamedSampler => samplers[name]();
