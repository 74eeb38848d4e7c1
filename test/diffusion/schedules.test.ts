import { describe, expect, it } from 'vitest';
import { respaceBetas, spaceTimesteps } from '../../src/diffusion/respacing.js';
import { betasForAlphaBar, cosineAlphaBar, cosineBetas } from '../../src/diffusion/schedules/alpha-bar.js';
import { linearBetas, scaledLinearBetas } from '../../src/diffusion/schedules/betas.js';
import { diffusionCoefficients } from '../../src/diffusion/schedules/coefficients.js';
import { flowShift, stretchToTerminal } from '../../src/diffusion/schedules/flow-shift.js';
import { cosineLogSnr, linearLogSnr } from '../../src/diffusion/schedules/log-snr.js';
import { namedBetas, type ScheduleName } from '../../src/diffusion/schedules/named.js';
import { betaSigmas, karrasSigmas } from '../../src/diffusion/schedules/sigmas.js';
import { inferenceTimesteps, type TimestepSpacing } from '../../src/diffusion/schedules/spacing.js';
import { rescaleZeroTerminalSnr } from '../../src/diffusion/schedules/zero-terminal-snr.js';
import { ScheduleError } from '../../src/tensor/errors.js';

/** Runs what must fail and returns its error. */
const errorOf = (f: () => unknown): ScheduleError => {
  try {
    f();
  } catch (error) {
    if (error instanceof ScheduleError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('errors name the function, what was given and the rule', () => {
  it.each<[string, () => unknown, string, string]>([
    ['linearBetas', () => linearBetas(0), '0 as the number of timesteps', 'a positive integer'],
    ['linearBetas', () => linearBetas(2.5), '2.5 as the number of timesteps', 'a positive integer'],
    ['cosineBetas', () => cosineBetas(Number.NaN), 'NaN as the number of timesteps', 'a positive integer'],
    ['betasForAlphaBar', () => betasForAlphaBar(-1, t => 1 - t), '-1 as the number', 'a positive integer'],
    ['betasForAlphaBar', () => betasForAlphaBar(4, t => 1 - t, 999), 'maxBeta = 999', 'maxBeta lies in (0, 1]'],
    [
      'betasForAlphaBar',
      () => betasForAlphaBar(4, t => 1 - 2 * t),
      'an alphaBar of 0 at t = 0.5',
      'not 0 before t = 1',
    ],
    ['betasForAlphaBar', () => betasForAlphaBar(4, Math.log), 'an alphaBar of -Infinity at t = 0', 'finite on [0, 1]'],
    [
      'namedBetas',
      () => namedBetas('quadratic' as ScheduleName, 10),
      "the name 'quadratic'",
      'linear, cosine, scaledLinear',
    ],
    [
      'namedBetas',
      () => namedBetas('toString' as ScheduleName, 10),
      "the name 'toString'",
      'linear, cosine, scaledLinear',
    ],
    ['linearBetas', () => linearBetas(10, { end: 2 }), '2 as end', 'end lies in (0, 1]'],
    ['scaledLinearBetas', () => scaledLinearBetas(10, { start: 0 }), '0 as start', 'start lies in (0, 1]'],
    ['cosineAlphaBar', () => cosineAlphaBar({ start: 1, end: 0 }), 'start 1 and end 0', 'the curve falls'],
    ['cosineAlphaBar', () => cosineAlphaBar({ end: 1.5 }), 'end 1.5', 'the curve falls'],
    ['cosineLogSnr', () => cosineLogSnr()(2), '2 as t', 't lies in [0, 1]'],
    ['linearLogSnr', () => linearLogSnr({ min: 3, max: 3 }), 'min 3 and max 3', 'min lies below max'],
    ['rescaleZeroTerminalSnr', () => rescaleZeroTerminalSnr([0.5]), 'a single beta', 'at least two timesteps'],
    ['rescaleZeroTerminalSnr', () => rescaleZeroTerminalSnr([0.5, 1, 0.5]), 'a beta of 0.5 at timestep 2', 'falls'],
    ['karrasSigmas', () => karrasSigmas(3, { min: 80 }), 'min 80 and max 80', 'min lies below max'],
    ['karrasSigmas', () => karrasSigmas(3, { min: 0 }), '0 as min', 'a finite number above 0'],
    ['betaSigmas', () => betaSigmas(3, { beta: 0 }), '0 as beta', 'lies in [0.01, 1000]'],
    ['flowShift', () => flowShift([1, 2], 3), 'a sigma of 2 at place 1', 'each in [0, 1]'],
    ['flowShift', () => flowShift([1], 0), '0 as shift', 'a finite number above 0'],
    ['stretchToTerminal', () => stretchToTerminal([1], 0.1), 'sigmas from 1 to 0.1', 'is 1'],
    ['stretchToTerminal', () => stretchToTerminal([0.2, 0.5], 0.1), 'sigma 0.2 before the last', 'the smallest'],
    ['inferenceTimesteps', () => inferenceTimesteps(10, 11), '11 of 10 timesteps', 'no more timesteps'],
    ['inferenceTimesteps', () => inferenceTimesteps(10, 10, { offset: 1 }), '1 as offset', 'from 0 to 0'],
    [
      'inferenceTimesteps',
      () => inferenceTimesteps(10, 2, { spacing: 'uniform' as TimestepSpacing }),
      "the spacing 'uniform'",
      'linspace, leading, trailing',
    ],
    ['diffusionCoefficients', () => diffusionCoefficients(linearBetas(10)), 'a beta of 1.11', 'each in (0, 1]'],
    ['diffusionCoefficients', () => diffusionCoefficients([0.1, 0]), 'a beta of 0 at timestep 1', 'each in (0, 1]'],
    ['diffusionCoefficients', () => diffusionCoefficients([Number.NaN, 0.1]), 'a beta of NaN', 'each in (0, 1]'],
    ['diffusionCoefficients', () => diffusionCoefficients([]), 'no betas', 'at least one number'],
    ['diffusionCoefficients', () => diffusionCoefficients([0.1]), 'a single beta', 'at least two timesteps'],
    ['diffusionCoefficients', () => diffusionCoefficients([1e-17, 0.1]), 'a beta of 1e-17', 'must not be 0'],
    ['spaceTimesteps', () => spaceTimesteps(0, 1), '0 as the number of timesteps', 'a positive integer'],
    ['spaceTimesteps', () => spaceTimesteps(1000, 'ddim600'), "'ddim600' for 1000", 'exactly N'],
    ['spaceTimesteps', () => spaceTimesteps(1000, 'ddim'), "'ddim' for 1000", 'exactly N'],
    ['spaceTimesteps', () => spaceTimesteps(1000, 'ddim-5'), "'ddim-5' for 1000", 'exactly N'],
    ['spaceTimesteps', () => spaceTimesteps(10, '6,6'), 'a count of 6 for section 0', 'than it has, here 5'],
    ['spaceTimesteps', () => spaceTimesteps(10, '3,,3'), "'3,,3' as section counts", 'non-negative integers'],
    ['spaceTimesteps', () => spaceTimesteps(10, ''), "'' as section counts", 'non-negative integers'],
    ['spaceTimesteps', () => spaceTimesteps(10, []), '[] as section counts', 'non-negative integers'],
    ['spaceTimesteps', () => spaceTimesteps(10, [2, -1]), '[2, -1] as section counts', 'non-negative integers'],
    ['spaceTimesteps', () => spaceTimesteps(10, 2.5), '2.5 as section counts', 'non-negative integers'],
    ['spaceTimesteps', () => spaceTimesteps(10, Number.NaN), 'NaN as section counts', 'non-negative integers'],
    ['respaceBetas', () => respaceBetas([0.1, 0.2], []), 'no timesteps', 'at least one timestep'],
    ['respaceBetas', () => respaceBetas([0.1, 0.2], [0, 2]), 'timestep 2 of 2 timesteps', 'from 0 to one below'],
    ['respaceBetas', () => respaceBetas([0.1, 2], [0]), 'a beta of 2 at timestep 1', 'each in (0, 1]'],
    ['respaceBetas', () => respaceBetas([0.1, 1, 0.5], [0, 1, 2]), 'no signal at timestep 1', 'without signal'],
  ])('%s %#', (operation, f, given, rule) => {
    const error = errorOf(f);
    expect(error._tag).toBe('ScheduleError');
    expect(error.operation).toBe(operation);
    expect(error.message).toContain(`${operation}: got `);
    expect(error.given).toContain(given);
    expect(error.rule).toContain(rule);
    expect(error.hint).not.toBe('');
  });
});

describe('schedules', () => {
  it('hands out frozen values and keeps nothing of the caller’s', () => {
    const mine = [0.1, 0.2, 0.3];
    const coefficients = diffusionCoefficients(mine);
    mine[0] = 0.9;
    expect(coefficients.betas).toEqual([0.1, 0.2, 0.3]);
    expect(Object.isFrozen(coefficients)).toBe(true);
    for (const values of Object.values(coefficients)) expect(Object.isFrozen(values)).toBe(true);
    const respaced = respaceBetas(coefficients.betas, [0, 2]);
    for (const values of [linearBetas(2), cosineBetas(2), spaceTimesteps(9, 3), ...Object.values(respaced)]) {
      expect(Object.isFrozen(values)).toBe(true);
    }
  });

  it('start and end where they should', () => {
    expect(linearBetas(1000)[0]).toBe(1e-4);
    expect(linearBetas(1000)[999]).toBe(0.02);
    expect(linearBetas(1)).toEqual([0.1]);
    expect(cosineBetas(1000)[999]).toBe(0.999);
  });

  it('takes a last beta of 1: no signal is left', () => {
    const { alphasCumprod, sqrtRecipAlphasCumprod, posteriorMeanCoef2 } = diffusionCoefficients([0.1, 1]);
    expect(alphasCumprod[1]).toBe(0);
    expect(sqrtRecipAlphasCumprod[1]).toBe(Number.POSITIVE_INFINITY);
    expect(posteriorMeanCoef2[1]).toBe(0);
  });
});

describe('respacing', () => {
  it('takes a number, a list and a string alike', () => {
    expect(spaceTimesteps(1000, 27)).toEqual(spaceTimesteps(1000, '27'));
    expect(spaceTimesteps(103, [5, 1, 7, 9])).toEqual(spaceTimesteps(103, '5, 1, 7, 9'));
  });

  it('skips a section whose count is 0', () => {
    expect(spaceTimesteps(30, [2, 0, 1])).toEqual([0, 9, 20]);
  });

  it('keeps the cumulative signal of the timesteps it keeps', () => {
    const betas = cosineBetas(100);
    const long = diffusionCoefficients(betas).alphasCumprod;
    const { betas: short, timestepMap } = respaceBetas(betas, new Set([99, 3, 40, 3]));
    expect(timestepMap).toEqual([3, 40, 99]);
    diffusionCoefficients(short).alphasCumprod.forEach((alpha, i) => {
      expect(alpha).toBeCloseTo(long[timestepMap[i]!]!, 14);
    });
  });
});
