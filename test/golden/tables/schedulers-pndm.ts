/** Where the reference's first steps of PNDM lead when timesteps are not spaced by T / n, which its formulas suppose. */
import { combine, type NoiseLevel, type PndmState, type Sampler } from 'tenfold/diffusion';

/** One of the first steps. */
export interface Detour {
  /** Where it begins. */
  readonly start: NoiseLevel;
  /** Where its first attempt leads, although the model is then shown the timestep of another level. */
  readonly landing: NoiseLevel;
  /** The level that it takes for the middle. */
  readonly middle?: NoiseLevel;
}

/** The sampler with such first steps; for steps taken by hand. */
export const asReference = (sampler: Sampler<PndmState>, detours: readonly Detour[]): Sampler<PndmState> => ({
  init: sampler.init,
  step: (state, at, denoise) => {
    const detour = detours[at.index.item() as number];
    if (detour === undefined) return sampler.step(state, at, denoise);
    const { start, landing, middle } = detour;
    let calls = 0;
    const step = middle === undefined ? at : { ...at, levelAt: () => middle };
    return sampler.step(state, step, (x, level) => {
      calls += 1;
      if (calls !== 2) return denoise(x, level);
      const { x0, eps } = denoise(state.x, start);
      return denoise(combine([landing.alpha, x0], [landing.sigma, eps]), level);
    });
  },
});
