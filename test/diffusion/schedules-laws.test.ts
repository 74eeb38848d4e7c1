/** What holds of all schedules, whatever their options, and values of other programs where none is golden. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  betasForAlphaBar,
  cosineAlphaBar,
  cosineBetas,
  exponentialBetas,
  sigmoidAlphaBar,
  sqrtBetas,
} from '../../src/diffusion/schedules/alpha-bar.js';
import { betaQuantile } from '../../src/diffusion/schedules/beta-quantile.js';
import { linearBetas, scaledLinearBetas, sigmoidBetas } from '../../src/diffusion/schedules/betas.js';
import { diffusionCoefficients } from '../../src/diffusion/schedules/coefficients.js';
import { flowShift, resolutionShift, stretchToTerminal } from '../../src/diffusion/schedules/flow-shift.js';
import {
  betasForLogSnr,
  cosineLogSnr,
  flowLogSnr,
  type LogSnr,
  laplaceLogSnr,
  linearLogSnr,
  vpLogSnr,
} from '../../src/diffusion/schedules/log-snr.js';
import { namedBetas, type ScheduleName } from '../../src/diffusion/schedules/named.js';
import {
  betaSigmas,
  exponentialSigmas,
  karrasSigmas,
  polyexponentialSigmas,
} from '../../src/diffusion/schedules/sigmas.js';
import { inferenceTimesteps, type TimestepSpacing } from '../../src/diffusion/schedules/spacing.js';
import { rescaleZeroTerminalSnr } from '../../src/diffusion/schedules/zero-terminal-snr.js';

/** Within some relative error of each. */
const near = (got: readonly number[], ref: readonly number[], bound = 1e-12): void => {
  expect(got.length).toBe(ref.length);
  got.forEach((value, i) => {
    expect(Math.abs(value - ref[i]!), `${i}: ${value}, reference ${ref[i]}`).toBeLessThanOrEqual(
      bound * Math.abs(ref[i]!),
    );
  });
};

const falls = (values: readonly number[]): boolean => values.every((value, i) => i === 0 || value < values[i - 1]!);

const steps = fc.integer({ min: 1, max: 300 });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const range = fc
  .tuple(fc.double({ min: 1e-5, max: 0.5, noNaN: true }), fc.double({ min: 1e-5, max: 0.5, noNaN: true }))
  .map(([start, end]) => ({ start, end }));

describe('betas', () => {
  it.each<[string, fc.Arbitrary<readonly number[]>]>([
    ['linearBetas', fc.tuple(steps, range).map(args => linearBetas(...args))],
    ['linearBetas from T = 20 on', fc.integer({ min: 20, max: 300 }).map(T => linearBetas(T))],
    ['scaledLinearBetas', fc.tuple(steps, range).map(args => scaledLinearBetas(...args))],
    ['sigmoidBetas', fc.tuple(steps, range).map(args => sigmoidBetas(...args))],
    ['cosineBetas', steps.map(T => cosineBetas(T))],
    ['sqrtBetas', steps.map(T => sqrtBetas(T))],
    [
      'exponentialBetas',
      fc
        .tuple(steps, fc.double({ min: 1e-6, max: 1e6, noNaN: true }))
        .map(([T, rate]) => exponentialBetas(T, { rate })),
    ],
    [
      'sigmoidAlphaBar',
      fc
        .tuple(steps, fc.double({ min: 0.1, max: 10, noNaN: true }))
        .map(([T, tau]) => betasForAlphaBar(T, sigmoidAlphaBar({ tau }))),
    ],
    ['cosineAlphaBar', steps.map(T => betasForAlphaBar(T, cosineAlphaBar({ start: 0.1, tau: 0.7 })))],
    [
      'cosineLogSnr',
      fc
        .tuple(steps, fc.double({ min: -5, max: 5, noNaN: true }))
        .map(([T, shift]) => betasForLogSnr(T, cosineLogSnr({ shift }))),
    ],
    ['linearLogSnr', steps.map(T => betasForLogSnr(T, linearLogSnr()))],
    ['vpLogSnr', steps.map(T => betasForLogSnr(T, vpLogSnr()))],
    ['laplaceLogSnr', steps.map(T => betasForLogSnr(T, laplaceLogSnr()))],
    [
      'flowLogSnr',
      fc
        .tuple(steps, fc.double({ min: 0.1, max: 10, noNaN: true }))
        .map(([T, shift]) => betasForLogSnr(T, flowLogSnr({ shift }))),
    ],
  ])('%s lie in (0, 1]', (_, betas) => {
    fc.assert(fc.property(betas, values => Object.isFrozen(values) && values.every(beta => beta > 0 && beta <= 1)));
  });

  it('start and end where they are told to', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), range, (T, { start, end }) => {
        for (const betas of [linearBetas, scaledLinearBetas].map(f => f(T, { start, end }))) {
          expect([betas[0], betas.at(-1)]).toEqual([start, end]);
        }
      }),
    );
    expect(scaledLinearBetas(1, { start: 0.1 })).toEqual([0.1]);
    expect(linearBetas(1000, { start: 0.0001, end: 0.02 })).toEqual(linearBetas(1000));
    // What is not given is what it is without options.
    expect(linearBetas(100, { end: 0.5 })[0]).toBe(linearBetas(100)[0]);
  });

  it('are those of diffusers and of Li et al.', () => {
    near(exponentialBetas(3), new Array(3).fill(0.9816843611112658));
    near(sqrtBetas(4), [0.49505049495151454, 0.4142378359390603, 0.5426688257366663, 0.999]);
    const laplace = laplaceLogSnr();
    near(
      betasForAlphaBar(4, t => (1 + Math.exp(-laplace(t))) ** -0.5),
      [0.2342507060522837, 0.07612039163202744, 0.08981989851789696, 0.9508899160272165],
    );
  });

  it('have names', () => {
    const all: Readonly<Record<ScheduleName, (T: number) => readonly number[]>> = {
      linear: T => linearBetas(T),
      cosine: cosineBetas,
      scaledLinear: T => scaledLinearBetas(T),
      sigmoid: T => sigmoidBetas(T),
      sqrt: sqrtBetas,
      exponential: T => exponentialBetas(T),
    };
    for (const [name, betas] of Object.entries(all)) expect(namedBetas(name as ScheduleName, 50)).toEqual(betas(50));
  });

  it('in continuous time are those of their discretisation', () => {
    // β(t) / T of the VP SDE, to first order in 1 / T.
    near(betasForLogSnr(1000, vpLogSnr()).slice(100), linearBetas(1000).slice(100), 0.02);
    // The flow of shift 1 has ᾱ = (1 − t)² / ((1 − t)² + t²).
    near(betasForLogSnr(2, flowLogSnr()), [0.5, 0.999]);
  });
});

describe('ᾱ along curves', () => {
  const times = [0, 0.25, 0.5, 0.9, 1];

  it('is that of Chen 2023', () => {
    near(times.map(sigmoidAlphaBar()), [1, 0.8508535479296672, 0.5, 0.039492782726376345, 0]);
    near(
      times.map(sigmoidAlphaBar({ start: 0, tau: 0.3 })),
      [1, 0.15163933251009695, 0.01329611334158015, 0.00015600757939105697, 0],
      // The reference, which takes differences of numbers near 1, has no more digits.
      1e-11,
    );
    near(times.map(cosineAlphaBar()), [1, 0.8535533905932737, 0.5, 0.02447174185242323, 0]);
    near(
      times.map(cosineAlphaBar({ start: 0.2, tau: 1.5 })),
      [1, 0.6155367074350507, 0.2360679774997896, 0.0022886519769277, 0],
    );
    near(
      times.map(cosineAlphaBar({ start: 0.2, end: 0.9 })),
      [1, 0.7577751386943251, 0.4514709450700109, 0.05131290752556405, 0],
    );
  });

  it('ends without signal for small τ too', () => {
    expect(cosineAlphaBar({ tau: 0.01 })(1)).toBe(0);
  });
});

describe('zero terminal SNR', () => {
  const betas = fc.array(fc.double({ min: 1e-6, max: 0.9, noNaN: true }), { minLength: 2, maxLength: 60 });

  it('keeps the first ᾱ, leaves none at the end and scales √ᾱ between them', () => {
    fc.assert(
      fc.property(betas, given => {
        const rescaled = rescaleZeroTerminalSnr(given);
        expect(Object.isFrozen(rescaled)).toBe(true);
        expect(rescaled.every(beta => beta > 0 && beta <= 1)).toBe(true);
        expect(rescaled.at(-1)).toBe(1);
        const [before, after] = [given, rescaled].map(each => diffusionCoefficients(each).sqrtAlphasCumprod);
        expect(after![0]).toBe(before![0]);
        expect(after!.at(-1)).toBe(0);
        const last = before!.at(-1)!;
        const scale = before![0]! / (before![0]! - last);
        after!.forEach((root, t) => {
          // Of ᾱ rather than its root, since 1 − β is right to some number of digits after the point.
          expect(Math.abs(root ** 2 - ((before![t]! - last) * scale) ** 2)).toBeLessThan(1e-12);
        });
      }),
    );
  });

  it('is that of numpy', () => {
    near(rescaleZeroTerminalSnr([0.1, 0.2, 0.3, 0.4]), [0.1, 0.4392350071260679, 0.712845144429118, 1]);
  });

  it('changes nothing where no signal is left already', () => {
    const once = rescaleZeroTerminalSnr(linearBetas(50));
    near(rescaleZeroTerminalSnr(once), once);
  });
});

describe('sigmas', () => {
  const bounds = fc
    .tuple(fc.double({ min: 1e-3, max: 1, noNaN: true }), fc.double({ min: 1.5, max: 1000, noNaN: true }))
    .map(([min, factor]) => ({ min, max: min * factor }));
  const rho = fc.double({ min: 0.5, max: 10, noNaN: true });
  const counts = fc.integer({ min: 1, max: 200 });
  const shape = fc.double({ min: 0.4, max: 3, noNaN: true });

  it.each<[string, fc.Arbitrary<readonly [(n: number, options: { min: number; max: number }) => readonly number[]]>]>([
    ['karrasSigmas', rho.map(r => [(n, options) => karrasSigmas(n, { ...options, rho: r })] as const)],
    ['exponentialSigmas', fc.constant([exponentialSigmas] as const)],
    [
      'polyexponentialSigmas',
      fc
        .double({ min: 0.5, max: 3, noNaN: true })
        .map(r => [(n, options) => polyexponentialSigmas(n, { ...options, rho: r })] as const),
    ],
    [
      'betaSigmas',
      fc
        .tuple(shape, shape)
        .map(([alpha, beta]) => [(n, options) => betaSigmas(n, { ...options, alpha, beta })] as const),
    ],
  ])('%s fall strictly from one end to the other', (_, functions) => {
    fc.assert(
      fc.property(functions, counts, bounds, ([f], n, options) => {
        const sigmas = f(n, options);
        expect(sigmas).toHaveLength(n);
        expect(sigmas[0]).toBe(options.max);
        if (n > 1) expect(sigmas.at(-1)).toBe(options.min);
        expect(falls(sigmas) && Object.isFrozen(sigmas)).toBe(true);
      }),
    );
  });

  it('are those of Karras et al. without options', () => {
    expect(karrasSigmas(18)).toEqual(karrasSigmas(18, { min: 0.002, max: 80, rho: 7 }));
    const roots = karrasSigmas(18).map(sigma => sigma ** (1 / 7));
    roots.forEach((root, i) => {
      expect(root).toBeCloseTo(80 ** (1 / 7) + (i / 17) * (0.002 ** (1 / 7) - 80 ** (1 / 7)), 12);
    });
  });

  it('are those of k-diffusion', () => {
    near(
      polyexponentialSigmas(5, { min: 0.02, max: 10, rho: 1.7 }),
      [10, 0.9037452547294246, 0.13543641713175023, 0.03603376089474482, 0.02],
    );
    near(polyexponentialSigmas(9), exponentialSigmas(9));
  });

  it('are refused where two would be the same', () => {
    expect(() => karrasSigmas(1000, { min: 1, max: 1 + 1e-14 })).toThrow('sigmas fall strictly');
    expect(() => betaSigmas(1000, { alpha: 0.01 })).toThrow('sigmas fall strictly');
  });

  it('quantiles of the beta distribution are those of scipy', () => {
    const table: readonly (readonly [number, number, number, number])[] = [
      [1e-12, 0.6, 0.6, 1.8558824624914097e-20],
      [0.001001001001001001, 0.6, 0.6, 1.8589710896477086e-5],
      [0.3, 0.6, 0.6, 0.23401700387523572],
      [0.97, 0.6, 0.6, 0.9946317188159646],
      [0.2, 2.5, 30, 0.03738501538856833],
      [0.5, 1000, 3, 0.9973321745805727],
      [0.01, 0.05, 0.6, 2.5007031515341214e-40],
    ];
    near(
      table.map(([p, a, b]) => betaQuantile(p, a, b)),
      table.map(([, , , x]) => x),
    );
    // Where they are known: the uniform distribution, powers, and the arcsine.
    fc.assert(
      fc.property(
        fc.double({ min: 1e-20, max: 1, noNaN: true }),
        fc.double({ min: 0.2, max: 20, noNaN: true }),
        (p, a) => {
          near([betaQuantile(p, 1, 1), betaQuantile(p, a, 1)], [p, p ** (1 / a)]);
          expect(Math.abs(betaQuantile(p, 0.5, 0.5) - Math.sin((p * Math.PI) / 2) ** 2)).toBeLessThan(1e-14);
          // Where 1 − p has the digits of p.
          const q = 0.1 + 0.8 * p;
          expect(Math.abs(betaQuantile(q, a, 2) + betaQuantile(1 - q, 2, a) - 1)).toBeLessThan(1e-12);
        },
      ),
    );
  });
});

describe('shifts of flows', () => {
  const shift = fc.double({ min: 0.01, max: 100, noNaN: true });
  const places = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 1e-9, max: 1, noNaN: true }));
  const sigmas = fc.array(places, { minLength: 1, maxLength: 20 });

  it('by one after another are one by their product, and by 1 none', () => {
    fc.assert(
      fc.property(sigmas, shift, shift, (given, a, b) => {
        near(flowShift(flowShift(given, a), b), flowShift(given, a * b), 1e-13);
        near(flowShift(given, 1), given, 1e-15);
      }),
    );
  });

  it('keep 0 and 1, what is between them between them, and the order', () => {
    fc.assert(
      fc.property(sigmas, fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (given, s) => {
        const shifted = flowShift(
          [0, ...given, 1].toSorted((a, b) => a - b),
          s,
        );
        expect([shifted[0], shifted.at(-1)]).toEqual([0, 1]);
        expect(shifted.every((sigma, i) => sigma <= 1 && (i === 0 || sigma >= shifted[i - 1]! * (1 - 1e-15)))).toBe(
          true,
        );
      }),
    );
  });

  it('shift λ by −2·log s', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.999, noNaN: true }), shift, (t, s) => {
        const [sigma] = flowShift([t], s);
        expect(Math.abs(flowLogSnr()(sigma!) - flowLogSnr({ shift: s })(t))).toBeLessThan(1e-9);
        expect(Math.abs(flowLogSnr({ shift: s })(t) - (flowLogSnr()(t) - 2 * Math.log(s)))).toBeLessThan(1e-12);
      }),
    );
  });

  it('stretched ones end where they are told to and start at 1 as before', () => {
    fc.assert(
      fc.property(
        sigmas,
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (given, last, terminal) => {
          const stretched = stretchToTerminal([1, ...given.filter(sigma => sigma >= last), last], terminal);
          expect([stretched[0], stretched.at(-1)]).toEqual([1, terminal]);
          expect(stretched.every(sigma => sigma >= terminal - 1e-15 && sigma <= 1)).toBe(true);
        },
      ),
    );
    expect(stretchToTerminal([1, 0.5, 0], 0)).toEqual([1, 0.5, 0]);
  });

  it('depend on the resolution as those of FLUX.1', () => {
    near(
      [256, 1024, 4096, 9216].map(length => resolutionShift(length)),
      [0.5, 0.63, 1.15, 2.0166666666666666],
    );
    expect(resolutionShift(20, { baseLength: 10, maxLength: 30, baseShift: 1, maxShift: 3 })).toBe(2);
  });
});

describe('λ in continuous time', () => {
  it.each<[string, LogSnr]>([
    ['cosineLogSnr', cosineLogSnr({ shift: -3 })],
    ['cosineLogSnr, far', cosineLogSnr({ min: -60, max: 60 })],
    ['linearLogSnr', linearLogSnr()],
    ['vpLogSnr', vpLogSnr()],
    ['vpLogSnr, fast', vpLogSnr({ betaMin: 1e-3, betaMax: 1e6 })],
    ['laplaceLogSnr', laplaceLogSnr({ mu: 1, b: 2 })],
    ['flowLogSnr', flowLogSnr({ shift: 3 })],
  ])('%s falls', (_, logSnr) => {
    expect(falls(Array.from({ length: 101 }, (__, i) => logSnr(i / 100)))).toBe(true);
  });

  it('ends where it is told to', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -60, max: 0, noNaN: true }),
        fc.double({ min: 0.1, max: 60, noNaN: true }),
        (min, max) => {
          for (const logSnr of [cosineLogSnr({ min, max }), linearLogSnr({ min, max })]) {
            expect(Math.abs(logSnr(0) - max)).toBeLessThan(1e-12);
            expect(Math.abs(logSnr(1) - min)).toBeLessThan(1e-12);
          }
        },
      ),
    );
    expect([vpLogSnr()(0), flowLogSnr()(0), flowLogSnr()(1)]).toEqual([Infinity, Infinity, -Infinity]);
  });

  it('is that of Hoogeboom et al., symmetric without a shift', () => {
    near([0.1, 0.9].map(cosineLogSnr()), [3.6797404349823455, -3.679740434982347]);
    expect(Math.abs(cosineLogSnr()(0.5))).toBeLessThan(1e-14);
  });

  it('has a Laplace distribution at times drawn evenly', () => {
    // Its quantiles: those of t are at 1 − t, since λ falls.
    const quantile = (p: number): number => (p < 0.5 ? Math.log(2 * p) : -Math.log(2 - 2 * p));
    for (const t of [0.05, 0.3, 0.6, 0.99]) {
      expect(laplaceLogSnr({ mu: 1, b: 2 })(t)).toBeCloseTo(1 + 2 * quantile(1 - t), 3);
    }
  });
});

describe('timesteps to sample at', () => {
  it('fall strictly within the chain, as many as wanted', () => {
    const spacing = fc.constantFrom<TimestepSpacing>('leading', 'trailing', 'linspace');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), share, spacing, (T, part, which) => {
        const n = Math.max(1, Math.round(part * T));
        const times = inferenceTimesteps(T, n, { spacing: which });
        expect(times).toHaveLength(n);
        expect(falls(times) && times.every(Number.isInteger) && Object.isFrozen(times)).toBe(true);
        expect(times[0]! <= T - 1 && times.at(-1)! >= 0).toBe(true);
        if (which === 'trailing') expect(times[0]).toBe(T - 1);
        if (which !== 'trailing') expect(times.at(-1)).toBe(0);
        if (which === 'linspace' && n > 1) expect(times[0]).toBe(T - 1);
      }),
    );
  });

  it('are those of numpy where a position is next to a half', () => {
    expect(inferenceTimesteps(10, 4, { spacing: 'trailing' })).toEqual([9, 7, 4, 1]);
    expect(inferenceTimesteps(8, 5, { spacing: 'linspace' })).toEqual([7, 5, 4, 2, 0]);
    expect(inferenceTimesteps(10, 3, { offset: 3 })).toEqual([9, 6, 3]);
  });
});
