/** Diffusion by differential equations: tolerances, steps and directions that are none; what is no denoiser or data. */
import { type Tensor, tensor, zeros } from 'tenfold';
import { dormandPrince, edmProcess, langevin, levelsOf, logLikelihood } from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const x = zeros([2, 3]);
const levels = levelsOf(edmProcess(), [1]);
const same = (y: Tensor): object => ({ x0: y, eps: y });
const nothings = [undefined, null, 3, 'x', true, [], {}];
const noNumbers = [null, '0.1', Number.NaN, [0.1], tensor(0.1), {}];
const noOptions = [null, 3, 'x', true, [], x, { tol: 1 }];
const noCounts = [null, 0, -1, 1.5, Number.NaN, '1', [1], tensor(1), 2 ** 31];

const noTolerances = [
  ...[...noNumbers, -1, 1, Number.POSITIVE_INFINITY].map(rtol => ({ rtol })),
  ...[...noNumbers, -1, 0, 0.1, Number.POSITIVE_INFINITY].map(atol => ({ atol })),
  ...noCounts.map(maxSteps => ({ maxSteps })),
];

const denoisedAs = (...wrong: readonly unknown[]): readonly (() => unknown)[] => wrong.map(each => () => each);

export const diffusionOde: BadInputs = {
  dormandPrince: refused(dormandPrince, ...[...noOptions, ...noTolerances].map(options => [options])),
  langevin: refused(
    langevin,
    ...[
      ...noOptions,
      ...[...noNumbers, 0, -1, Number.POSITIVE_INFINITY].map(snr => ({ snr })),
      ...noCounts.map(steps => ({ steps })),
    ].map(options => [options]),
  ),
  logLikelihood: [
    ...refused(
      logLikelihood,
      ...nothings.map(denoiser => [denoiser, levels, x]),
      ...denoisedAs(undefined, null, 3, {}, { x0: x }, { eps: x }, { x0: x, eps: zeros([2]) }).map(f => [f, levels, x]),
      [() => ({ x0: x, eps: zeros([2, 3], { dtype: 'float64' }) }), levels, x],
      ...[...nothings, { ...levels, sigma: zeros([1]) }, { ...levels, process: {} }].map(each => [same, each, x]),
      ...[...nothings, [[1, 2, 3]], zeros([]), zeros([2, 3], { dtype: 'int32' })].map(each => [same, levels, each]),
      ...[
        ...noOptions,
        ...noTolerances,
        ...[null, 'trace', 3, {}].map(divergence => ({ divergence })),
        ...[null, 'gaussian', 3, {}].map(directions => ({ directions })),
        ...noCounts.flatMap(count => [{ probes: count }, { steps: count }]),
        ...[null, -1, 1.5, '0', 2 ** 31].map(firstSample => ({ firstSample })),
        ...[null, 3, [0, 0], tensor([0, 1])].map(none => ({ key: none })),
        { divergence: 'hutchinson' },
        { steps: 3, rtol: 0.1 },
        { steps: 3, atol: 0.01 },
        { steps: 3, maxSteps: 5 },
      ].map(options => [same, levels, x, options]),
      [same],
      [same, levels],
      [],
    ),
    () => logLikelihood(same as never, levels, x, { divergence: 'hutchinson', key: key(0), probes: 0 }),
  ],
};
