/** Diffusion over states: processes, states, times, networks and samplers that are none. */
import { isTensor, sub, type Tensor, tensor, zeros } from 'tenfold';
import {
  ancestralStates,
  confidentStates,
  discreteBpdLoop,
  discreteDiffusion,
  discreteLosses,
  discretePriorBpd,
  discreteTrajectory,
  discreteVbTermsBpd,
  gaussianDiffusion,
  maskedDiffusion,
  maskedLosses,
  maskStates,
  pPrevious,
  qPosterior,
  qProbs,
  qSampleDiscrete,
  respaceDiscrete,
  sampleDiscrete,
  sampleDiscreteSteps,
} from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const d = discreteDiffusion({ states: 3, betas: [0.5, 0.9], kind: 'uniform' });
const m = maskedDiffusion({ states: 3 });
const k = key(0);
const x = zeros([2, 4], { dtype: 'int32' });
const t = zeros([2], { dtype: 'int32' });
const times = zeros([2]);
const logits = (y: Tensor): Tensor => zeros([...y.shape, 3]);

const nothings = [undefined, null, 3, 'x', true, [], {}];
const noDiffusions = [...nothings, gaussianDiffusion([0.5, 0.5]), { ...d, timestepMap: [0] }];
const noStates = [
  ...nothings,
  [[0, 1]],
  zeros([2, 4]),
  tensor(1, { dtype: 'int32' }),
  zeros([2, 4], { dtype: 'uint8' }),
];
const noTimesteps = [...nothings, zeros([3], { dtype: 'int32' }), zeros([2, 1], { dtype: 'int32' }), times];
const noTimes = [...nothings, zeros([3]), zeros([2, 1]), t];
const noKeys = [undefined, null, 0, [0, 0], tensor([0, 1])];
const noFirst = [null, -1, 1.5, '0', 2 ** 31 - 1];
const noOptions = [null, 1, 'x', [], tensor(1), { bogus: 1 }];
const noFunctions = [...nothings, x];
const noModels = [
  ...noFunctions,
  ...[undefined, 3, [0], zeros([2, 4]), zeros([2, 4, 4]), zeros([2, 3, 4]), zeros([2, 4, 3], { dtype: 'int32' })].map(
    y => () => y,
  ),
];
const noNumbers = [null, Number.NaN, '1', [1], tensor(1)];
const noDTypes = [null, 'int32', 'float16', 1].map(dtype => ({ dtype }));
const noisy = [
  ...noOptions,
  ...noKeys.map(each => ({ key: each })),
  ...noFirst.map(firstSample => ({ key: k, firstSample })),
];

/** A good call with each of its arguments replaced, in turn, by each of the bad ones for it. */
const spoiled = (f: unknown, good: readonly unknown[], bad: readonly (readonly unknown[])[]): BadInputs[string] =>
  refused(f, ...bad.flatMap((values, i) => values.map(value => good.with(i, value))));

const sampling = { key: k, steps: 2 };
const noSamplers = [...nothings, x, { init: () => 0 }, { init: () => 0, step: () => 0 }];
/** Samplers and networks that only their steps show to be none. */
const noSteps = [() => 0, () => ({ x, x0: times })].map(step => ({ ...ancestralStates(), step }));
const noStarts = [...noStates.filter(value => isTensor(value) || !Array.isArray(value)), [], [-1], [1.5, 2], [[0, 1]]];
const sampled = (f: unknown, stepwise: boolean): BadInputs[string] => [
  ...spoiled(
    f,
    [ancestralStates(), m, logits, [2, 4], sampling],
    [
      [...noSamplers, ...(stepwise ? [] : noSteps)],
      noDiffusions,
      stepwise ? noFunctions : noModels,
      noStarts,
      [...noisy, { key: k }, ...[null, 0, 1.5, '2', Number.NaN].map(steps => ({ key: k, steps }))],
    ],
  ),
  ...refused(f, [ancestralStates(), d, logits, [2, 4], sampling]),
];

const betas = [0.5, 0.9];
const half = [
  [0.5, 0.5],
  [0.5, 0.5],
];

export const discreteStates: BadInputs = {
  discreteDiffusion: refused(
    discreteDiffusion,
    ...[undefined, ...noOptions].map(each => [each]),
    ...[undefined, null, 1, 0, -3, 2.5, '3', Number.NaN].map(states => [{ states, betas, kind: 'uniform' }]),
    ...[undefined, null, [], 0.5, 'x', [0], [1.5], [-0.1], [Number.NaN], ['a']].map(each => [
      { states: 3, betas: each, kind: 'uniform' },
    ]),
    ...[undefined, null, 1, 'gaussian', 'general', {}, ['uniform']].map(kind => [{ states: 3, betas, kind }]),
    ...[null, -1, 3, 1.5, '1'].map(mask => [{ states: 3, betas, kind: 'absorbing', mask }]),
    [{ states: 3, betas, kind: 'uniform', mask: 1 }],
    ...[undefined, null, 3, [], [[]], [[[1]]], [[1, 0]], [half, [[1, 0]]], [[[0.5, 0.4], half[0]]], tensor([half])].map(
      matrices => [{ matrices }],
    ),
    [{ matrices: [[[1.5, -0.5], half[0]]] }],
    [{ matrices: [half], betas }],
    ...[null, 1, [1], [0.5, 0.6], [1.5, -0.5], ['a', 'b']].map(limit => [{ matrices: [half], limit }]),
  ),
  respaceDiscrete: spoiled(
    respaceDiscrete,
    [d, [0, 1]],
    [
      [...noDiffusions, m],
      [undefined, null, 3, {}, [], 'ab', [2], [-1], [0.5], [Number.NaN], ['0'], [0, 2], tensor([0, 1])],
    ],
  ),
  qProbs: spoiled(qProbs, [d, x, t, {}], [noDiffusions, noStates, noTimesteps, [...noOptions, ...noDTypes]]),
  qSampleDiscrete: spoiled(qSampleDiscrete, [d, x, t, k, 0], [noDiffusions, noStates, noTimesteps, noKeys, noFirst]),
  qPosterior: spoiled(
    qPosterior,
    [d, x, x, t, {}],
    [
      noDiffusions,
      noStates,
      [...noStates, zeros([2, 3], { dtype: 'int32' })],
      noTimesteps,
      [...noOptions, ...noDTypes],
    ],
  ),
  pPrevious: spoiled(pPrevious, [d, logits, x, t, {}], [noDiffusions, noModels, noStates, noTimesteps, noOptions]),
  discreteVbTermsBpd: spoiled(
    discreteVbTermsBpd,
    [d, logits, x, x, t, {}],
    [noDiffusions, noModels, noStates, noStates, noTimesteps, noOptions],
  ),
  discreteLosses: spoiled(
    discreteLosses,
    [d, logits, x, t, { key: k }],
    [
      noDiffusions,
      noModels,
      noStates,
      noTimesteps,
      [...noisy, undefined, ...[null, -1, Number.NaN, '1', tensor(1)].map(hybrid => ({ key: k, hybrid }))],
    ],
  ),
  discretePriorBpd: spoiled(discretePriorBpd, [d, x, {}], [noDiffusions, noStates, [...noOptions, ...noDTypes]]),
  discreteBpdLoop: spoiled(
    discreteBpdLoop,
    [d, logits, x, { key: k }],
    [noDiffusions, noModels, noStates, [...noisy, undefined]],
  ),
  maskedDiffusion: refused(
    maskedDiffusion,
    ...[undefined, ...noOptions].map(each => [each]),
    ...[undefined, null, 1, 0, -3, 2.5, '3', Number.NaN].map(states => [{ states }]),
    ...[null, -1, 3, 1.5, '1'].map(mask => [{ states: 3, mask }]),
    ...[null, 1, 'sqrt', 'toString', {}, ['linear']].map(schedule => [{ states: 3, schedule }]),
  ),
  maskStates: [
    ...spoiled(maskStates, [m, x, times, k, 0], [[...noDiffusions, d], noStates, noTimes, noKeys, noFirst]),
    ...[() => 0, () => zeros([3]), () => t].map(
      schedule => () => maskStates(maskedDiffusion({ states: 3, schedule: schedule as never }), x, times, k),
    ),
  ],
  maskedLosses: spoiled(
    maskedLosses,
    [m, logits, x, times, { key: k }],
    [
      [...noDiffusions, d, maskedDiffusion({ states: 3, schedule: () => sub(1, zeros([5])) as Tensor })],
      noModels,
      noStates,
      noTimes,
      [...noisy, undefined],
    ],
  ),
  ancestralStates: refused(
    ancestralStates,
    ...noOptions.map(each => [each]),
    ...[...noNumbers, 0, -1].map(temperature => [{ temperature }]),
  ),
  confidentStates: [
    ...refused(
      confidentStates,
      ...noOptions.map(each => [each]),
      ...[...noNumbers, 0, -1].map(temperature => [{ temperature }]),
      ...[...noNumbers, -1].map(choiceTemperature => [{ choiceTemperature }]),
    ),
    () => sampleDiscrete(confidentStates(), d, logits, [2, 4], { key: k }),
  ],
  sampleDiscrete: sampled(sampleDiscrete, false),
  sampleDiscreteSteps: sampled(sampleDiscreteSteps, false),
  discreteTrajectory: sampled(discreteTrajectory, true),
};
