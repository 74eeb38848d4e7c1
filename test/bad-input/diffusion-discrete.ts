/** Samplers on timesteps and flows: options that are none. */
import { tensor, zeros } from 'tenfold';
import {
  consistencyBoundary,
  ddpm,
  denoiser,
  edmProcess,
  flowHeun,
  levelsOf,
  multistepConsistency,
  plms,
  pndm,
  sample,
  tcd,
} from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const noOptions = [null, 1, 'x', [], tensor(1), { bogus: 1 }];
const noNumbers = [null, Number.NaN, '1', [1], {}, tensor(1), true];
const negative = [...noNumbers, -1, Number.POSITIVE_INFINITY];

/** Calls with one option, in turn each of the bad values for it. */
const options = (f: unknown, bad: Readonly<Record<string, readonly unknown[]>>): BadInputs[string] =>
  refused(
    f,
    ...noOptions.map(each => [each]),
    ...Object.entries(bad).flatMap(([name, values]) => values.map(value => [{ [name]: value }])),
  );

const noTypes = [null, 1, 'x', 'toString', {}, ['v']];
const x = zeros([2, 3]);
const levels = levelsOf(edmProcess(), [2, 1]);
const silent = denoiser(y => y);

export const discreteSamplers: BadInputs = {
  ddpm: [
    ...options(ddpm, { variance: [...noTypes, 'epsilon'] }),
    ...(['learned', 'learnedRange'] as const).map(
      variance => () => sample(ddpm({ variance }), silent, levels, x, { key: key(0) }).toArray(),
    ),
  ],
  pndm: options(pndm, { prediction: noTypes }),
  plms: options(plms, { prediction: noTypes }),
  multistepConsistency: options(multistepConsistency, { min: negative }),
  tcd: options(tcd, { eta: [...noNumbers, -0.1, 1.1], wholeTimesteps: [null, 1, 'x'] }),
  flowHeun: options(flowHeun, {
    churn: [...noNumbers, -1],
    noise: negative,
    min: [...noNumbers, -1],
    max: [...noNumbers, -1],
  }).concat(refused(flowHeun, [{ min: 0.9, max: 0.1 }])),
  consistencyBoundary: options(consistencyBoundary, {
    timestepScaling: [...negative, 0],
    sigmaData: [...negative, 0],
    keepNoise: [null, 1, 'x'],
  }),
};
