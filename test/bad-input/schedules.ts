/** Noise schedules: what is no number of timesteps, no number of its range, no list of them, and no option. */
import { tensor } from 'tenfold';
import {
  betaSigmas,
  betasForLogSnr,
  cosineAlphaBar,
  cosineLogSnr,
  exponentialBetas,
  exponentialSigmas,
  flowLogSnr,
  flowShift,
  inferenceTimesteps,
  karrasSigmas,
  laplaceLogSnr,
  linearBetas,
  linearLogSnr,
  polyexponentialSigmas,
  rescaleZeroTerminalSnr,
  resolutionShift,
  scaledLinearBetas,
  sigmoidAlphaBar,
  sigmoidBetas,
  sqrtBetas,
  stretchToTerminal,
  vpLogSnr,
} from 'tenfold/diffusion';
import { type BadInputs, refused } from './types.js';

const noNumbers = [null, Number.NaN, Number.POSITIVE_INFINITY, '1', [1], {}, tensor(1), 1n, true];
const notPositive = [...noNumbers, 0, -1];
const noBetas = [...notPositive, 1.5];
const noTimes = [...noNumbers, undefined, -0.1, 1.1];
const noSteps = [undefined, null, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, '10', [10], tensor(10)];
const noLists = [undefined, null, 3, 'x', {}, [], [null], ['0.5'], [[0.5]], [Number.NaN], tensor([0.5]), { length: 2 }];
const noOptions = [null, 3, 'x', true, [], tensor(1), { bogus: 1 }];

type Bad = Readonly<Record<string, readonly unknown[]>>;

/** A function of good arguments and then options: what is no options, and each option with what it cannot be. */
const options = (f: unknown, good: readonly unknown[], bad: Bad): BadInputs[string] =>
  refused(
    f,
    ...noOptions.map(none => [...good, none]),
    ...Object.entries(bad).flatMap(([name, values]) => values.map(value => [...good, { [name]: value }])),
  );

const steps = (f: unknown): BadInputs[string] => refused(f, ...noSteps.map(T => [T]));

const sigmas = (f: unknown, more: Bad = {}): BadInputs[string] => [
  ...steps(f),
  ...options(f, [3], { min: [...notPositive, 80, 90], max: [...notPositive, 0.002, 0.001], ...more }),
  ...refused(f, [1000, { min: 1, max: 1 + 1e-14 }]),
];

/** Options, and the times of what they give a function of. */
const timed = (f: (...args: never[]) => (t: number) => number, bad: Bad): BadInputs[string] => [
  ...options(f, [], bad),
  ...noTimes.map(t => () => f()(t as never)),
];

export const schedules: BadInputs = {
  linearBetas: options(linearBetas, [10], { start: noBetas, end: noBetas }),
  scaledLinearBetas: [
    ...steps(scaledLinearBetas),
    ...options(scaledLinearBetas, [10], { start: noBetas, end: noBetas }),
  ],
  sigmoidBetas: [...steps(sigmoidBetas), ...options(sigmoidBetas, [10], { start: noBetas, end: noBetas })],
  sqrtBetas: steps(sqrtBetas),
  exponentialBetas: [...steps(exponentialBetas), ...options(exponentialBetas, [10], { rate: notPositive })],
  sigmoidAlphaBar: timed(sigmoidAlphaBar, { start: [...noNumbers, 3], end: [...noNumbers, -3], tau: notPositive }),
  cosineAlphaBar: timed(cosineAlphaBar, {
    start: [...noNumbers, 1, -0.1],
    end: [...noNumbers, 0, 1.1],
    tau: notPositive,
  }),
  cosineLogSnr: timed(cosineLogSnr, { min: [...noNumbers, 15], max: [...noNumbers, -15], shift: noNumbers }),
  linearLogSnr: timed(linearLogSnr, { min: [...noNumbers, 20], max: [...noNumbers, -5] }),
  vpLogSnr: timed(vpLogSnr, { betaMin: notPositive, betaMax: notPositive }),
  laplaceLogSnr: timed(laplaceLogSnr, { mu: noNumbers, b: notPositive }),
  flowLogSnr: timed(flowLogSnr, { shift: notPositive }),
  betasForLogSnr: [
    ...refused(betasForLogSnr, ...noSteps.map(T => [T, () => 1])),
    ...refused(betasForLogSnr, ...[undefined, null, 3, 'x', {}, tensor(1)].map(f => [10, f])),
    ...refused(betasForLogSnr, ...[...notPositive, 2].map(max => [10, () => 1, max])),
    ...[undefined, null, '1', Number.NaN, Number.NEGATIVE_INFINITY, tensor(1), 1n].map(
      value => () => betasForLogSnr(10, () => value as never),
    ),
  ],
  rescaleZeroTerminalSnr: refused(
    rescaleZeroTerminalSnr,
    ...[...noLists, [0.5], [0.1, 0], [0.1, 1.1], [1e-17, 0.1], [0.1, 1, 0.1]].map(betas => [betas]),
  ),
  karrasSigmas: sigmas(karrasSigmas, { rho: notPositive }),
  exponentialSigmas: sigmas(exponentialSigmas),
  polyexponentialSigmas: sigmas(polyexponentialSigmas, { rho: notPositive }),
  betaSigmas: sigmas(betaSigmas, { alpha: [...notPositive, 0.001, 2000], beta: [...notPositive, 0.001, 2000] }),
  flowShift: [
    ...refused(flowShift, ...[...noLists, [1, -0.1], [1.1]].map(each => [each, 3])),
    ...refused(flowShift, ...[...notPositive, undefined].map(shift => [[1, 0.5], shift])),
  ],
  resolutionShift: [
    ...refused(resolutionShift, ...[...notPositive, undefined].map(length => [length])),
    ...options(resolutionShift, [1024], {
      baseLength: [...notPositive, 4096],
      maxLength: [...notPositive, 256],
      baseShift: noNumbers,
      maxShift: noNumbers,
    }),
  ],
  stretchToTerminal: [
    ...refused(stretchToTerminal, ...[...noLists, [1, -0.1], [1.1, 0.5], [1], [0.2, 0.5]].map(each => [each, 0.1])),
    ...refused(stretchToTerminal, ...[...noTimes, 1].map(terminal => [[1, 0.5], terminal])),
  ],
  inferenceTimesteps: [
    ...refused(
      inferenceTimesteps,
      ...noSteps.flatMap(bad => [
        [bad, 3],
        [10, bad],
      ]),
      [10, 11],
    ),
    ...options(inferenceTimesteps, [10, 3], {
      spacing: [null, 3, 'toString', '', ['leading'], {}],
      offset: [...noNumbers, -1, 0.5, 4],
    }),
    ...refused(inferenceTimesteps, [10, 3, { spacing: 'trailing', offset: 1 }]),
  ],
};
