/** Diffusion: what is no diffusion, network or batch; wrong schedules, options, noise and states. */
import { isTensor, type Tensor, tensor, zeros } from 'tenfold';
import {
  approxStandardNormalCdf,
  betasForAlphaBar,
  calcBpdLoop,
  conditionMean,
  conditionScore,
  cosineBetas,
  ddimReverseSample,
  ddimReverseSampleLoop,
  ddimSample,
  ddimSampleLoop,
  ddimSampleTrajectory,
  diffusionCoefficients,
  discretizedGaussianLogLikelihood,
  extract,
  gaussianDiffusion,
  linearBetas,
  lossSecondMomentSampler,
  modelTimesteps,
  namedBetas,
  normalKl,
  pMeanVariance,
  predictEpsFromXStart,
  predictXStartFromEps,
  predictXStartFromXPrev,
  priorBpd,
  pSample,
  pSampleLoop,
  pSampleTrajectory,
  qMeanVariance,
  qPosteriorMeanVariance,
  qSample,
  respace,
  respaceBetas,
  spaceTimesteps,
  timestepNoise,
  trainingLosses,
  uniformSampler,
  vbTermsBpd,
} from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const d = gaussianDiffusion([0.1, 0.2, 0.3]);
const learning = gaussianDiffusion([0.1, 0.2, 0.3], { varianceType: 'learned' });
const k = key(0);
const x = zeros([2, 3]);
const t = zeros([2], { dtype: 'int32' });
const same = (y: Tensor): Tensor => y;
const zero = { mean: x, variance: x, logVariance: x, predXStart: x };

/** A good call with one argument after the other replaced by each of the bad ones at its place. */
const spoiled = (f: unknown, good: readonly unknown[], bad: readonly (readonly unknown[])[]): BadInputs[string] =>
  refused(
    f,
    ...bad.flatMap((values, i) => values.map(value => good.with(i, value))),
    // All that comes before the options is needed.
    ...good.flatMap((value, i) =>
      isTensor(value) || (value as object | undefined)?.constructor !== Object ? [good.slice(0, i)] : [],
    ),
  );

const nothings = [undefined, null, 3, 'x', true, []];
const noDiffusions = [
  ...nothings,
  {},
  x,
  d.betas,
  { ...d, betas: undefined },
  { ...d, alphasCumprod: [0.5] },
  { ...d, numTimesteps: 2 },
  ...['meanType', 'varianceType', 'lossType'].map(name => ({ ...d, [name]: 'toString' })),
  ...[0, 2.5, Number.NaN].map(originalNumSteps => ({ ...d, originalNumSteps })),
];
const noFunctions = [...nothings, {}, x];
const noTimesteps = [
  ...nothings,
  [0, 1],
  zeros([2]),
  zeros([], { dtype: 'int32' }),
  zeros([3], { dtype: 'int32' }),
  zeros([2], { dtype: 'uint8' }),
];
/** No samples; unless they are the first, the others are what they must be like. */
const noSamples = [
  ...nothings,
  [[0, 0, 0]],
  zeros([]),
  zeros([2, 3], { dtype: 'int32' }),
  zeros([2, 3], { dtype: 'uint8' }),
];
const unlike = [...noSamples, zeros([3]), zeros([1, 3]), zeros([2, 3], { dtype: 'float64' })];

const models = [
  ...noFunctions,
  ...[undefined, null, 3, [x], zeros([3]), zeros([2, 6]), zeros([2, 3], { dtype: 'float64' })].map(y => () => y),
  async () => x,
];
const noOptions = [
  ...[null, 3, 'x', true, [], x],
  ...[null, 1, 'yes'].map(clipDenoised => ({ clipDenoised })),
  ...[null, 3, 'f', x].flatMap(f => [{ denoisedFn: f }, { condFn: f }]),
  ...[null, -1, 1.5, Number.NaN, '0', 2 ** 31].map(firstSample => ({ firstSample })),
  ...[null, 3, [0, 0]].flatMap(none => [{ noise: none }, { key: none }]),
  ...[null, Number.NaN, '1', [1]].map(eta => ({ eta })),
  ...[null, 'int32', 'float16', 3].map(dtype => ({ dtype })),
  ...[null, 0, -1, 1.5, 'root', [2, 0], [null], {}].map(segments => ({ segments })),
  { clipDenoise: true },
];
const noResults = [undefined, null, 3, zeros([3]), zeros([2, 3], { dtype: 'float64' })];
const noDenoising = noResults.map(y => ({ denoisedFn: () => y }));
const noConditions = noResults.map(y => ({ condFn: () => y }));
const noSources = [undefined, {}, { key: k, noise: x }];
const noNoise = [...unlike.slice(2), zeros([3, 2, 2])].map(noise => ({ noise }));

/** What functions of a network refuse, with options that make the call a good one. */
const sampled = (
  f: unknown,
  starts: readonly unknown[],
  options: object,
  more: readonly unknown[] = [],
): BadInputs[string] => {
  const withMore = [
    ...noOptions,
    ...more.map(each => (each === undefined ? each : { ...options, ...(each as object) })),
  ];
  return [
    ...spoiled(f, [d, same, x, t, options], [noDiffusions, models, starts, noTimesteps, withMore]),
    ...refused(f, [learning, same, x, t, options], [learning, () => zeros([2, 0]), zeros([2]), t, options]),
  ];
};

const looped = (f: unknown, options: object, more: readonly unknown[] = []): BadInputs[string] => [
  ...spoiled(
    f,
    [d, same, x, options],
    [
      noDiffusions,
      models,
      [...nothings.filter(value => value !== true), true, [], [-1], [1.5], zeros([]), zeros([2], { dtype: 'int32' })],
      [...noOptions, ...more],
    ],
  ),
  ...refused(f, [learning, () => zeros([2, 0]), zeros([2]), options]),
];

const [noSteps, noCounts] = [
  [undefined, null, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, '10', [10], tensor(10)],
  [
    undefined,
    null,
    -1,
    1.5,
    Number.NaN,
    {},
    [],
    [null],
    ['1'],
    [[1]],
    '',
    'x',
    '1,x',
    'ddim',
    'ddim7',
    'ddim0',
    'ddim11',
    tensor(2),
    11,
    [6, 5],
  ],
];
const noBetas = [
  undefined,
  null,
  3,
  'betas',
  {},
  [],
  [null],
  ['0.1', '0.2'],
  [[0.1], [0.2]],
  [0, 0.1],
  [0.1, 1.1],
  [0.1, Number.NaN],
  tensor([0.1, 0.2]),
  { length: 2 },
  { length: 2 ** 40 },
];
const noTimestepLists = [undefined, null, 3, {}, [], 'ab', [3], [-1], [0.5], ['0'], [null], [0n], [[0]], x];
const noDiffusionOptions = [
  ...[null, 3, 'epsilon', [], { mean: 'epsilon' }],
  ...['meanType', 'varianceType', 'lossType'].flatMap(name =>
    [null, 3, 'toString', ['mse'], x].map(value => ({ [name]: value })),
  ),
  ...[null, 1, 'yes', tensor(true)].map(rescaleTimesteps => ({ rescaleTimesteps })),
  ...[null, 3, {}, [0], [1, 0, 2], [0, 1, 3], ['0', '1', '2'], [0, 0.5, 1]].map(timestepMap => ({ timestepMap })),
  ...[null, 2, 3.5, '3', Number.NaN, tensor(3)].map(originalNumSteps => ({ originalNumSteps })),
];

const keyed = { key: k };
const moment = lossSecondMomentSampler(3);
const flat = uniformSampler(3);
const state = moment.init();
const losses = zeros([2]);
const noStates = [
  undefined,
  null,
  3,
  {},
  { lossHistory: x, lossCounts: t },
  lossSecondMomentSampler(4).init(),
  lossSecondMomentSampler(3, { historyPerTerm: 2 }).init(),
];
const noKeys = [undefined, null, 0, [0, 0], tensor([0, 1])];
const noBatches = [undefined, null, 0, -1, 1.5, '2', tensor(2)];
const noLosses = [undefined, null, 3, [0, 0], zeros([3]), zeros([]), zeros([2], { dtype: 'int32' })];
/** How often does not matter to an importance weight. */
const oddTimesteps = noTimesteps.filter(each => (each as Tensor)?.shape?.[0] !== 3);

export const diffusion: BadInputs = {
  linearBetas: refused(linearBetas, ...noSteps.map(steps => [steps])),
  cosineBetas: refused(cosineBetas, ...noSteps.map(steps => [steps])),
  namedBetas: [
    ...refused(
      namedBetas,
      ...noSteps.flatMap(steps => [
        ['linear', steps],
        ['cosine', steps],
      ]),
    ),
    ...refused(namedBetas, ...[undefined, null, 3, 'toString', '', ['linear'], {}, tensor(1)].map(name => [name, 10])),
  ],
  betasForAlphaBar: [
    ...spoiled(betasForAlphaBar, [10, () => 1], [noSteps, noFunctions]),
    ...[undefined, null, '1', Number.NaN, 0, Number.POSITIVE_INFINITY, tensor(1), 1n].map(
      value => () => betasForAlphaBar(10, () => value as never),
    ),
    ...refused(
      betasForAlphaBar,
      ...[null, 0, -1, 2, Number.NaN, '0.9', [0.9], tensor(0.9)].map(max => [10, () => 1, max]),
    ),
  ],
  diffusionCoefficients: refused(diffusionCoefficients, ...[...noBetas, [0.1], [1e-17, 0.1]].map(betas => [betas])),
  gaussianDiffusion: [
    ...refused(gaussianDiffusion, ...[...noBetas, [0.1], [1e-17, 0.1]].map(betas => [betas])),
    ...refused(gaussianDiffusion, ...noDiffusionOptions.map(options => [d.betas, options])),
  ],
  respace: [
    ...refused(
      respace,
      ...[undefined, null, 3, 'x', {}, ...noBetas.map(betas => ({ betas }))].map(each => [each, [0, 1]]),
    ),
    ...refused(respace, ...[...noTimestepLists, [0], [0, 0]].map(kept => [d, kept])),
    ...refused(
      respace,
      ...noDiffusionOptions.slice(5).map(options => [{ betas: d.betas, ...(options as object) }, [0, 1, 2]]),
    ),
  ],
  respaceBetas: [
    ...refused(respaceBetas, ...noBetas.map(betas => [betas, [0, 1]]), ...noTimestepLists.map(kept => [d.betas, kept])),
    ...refused(respaceBetas, [
      [0.1, 1, 0.1],
      [1, 2],
    ]),
  ],
  spaceTimesteps: [
    ...refused(spaceTimesteps, ...noSteps.filter(steps => steps !== 2 ** 32).map(steps => [steps, 1])),
    ...refused(spaceTimesteps, ...noCounts.map(counts => [10, counts]), [2 ** 50, 'ddim123456789012345678']),
  ],
  extract: spoiled(extract, [[0.5, 0.25], t, x], [[...nothings, {}, ['0.5'], [[0.5]], x], noTimesteps, noSamples]),
  modelTimesteps: spoiled(modelTimesteps, [d, t, x], [noDiffusions, noTimesteps, noSamples]),
  qMeanVariance: spoiled(qMeanVariance, [d, x, t], [noDiffusions, noSamples, noTimesteps]),
  qSample: spoiled(qSample, [d, x, t, x], [noDiffusions, unlike, noTimesteps, unlike]),
  qPosteriorMeanVariance: spoiled(qPosteriorMeanVariance, [d, x, x, t], [noDiffusions, unlike, unlike, noTimesteps]),
  predictXStartFromEps: spoiled(predictXStartFromEps, [d, x, t, x], [noDiffusions, unlike, noTimesteps, unlike]),
  predictEpsFromXStart: spoiled(predictEpsFromXStart, [d, x, t, x], [noDiffusions, unlike, noTimesteps, unlike]),
  predictXStartFromXPrev: spoiled(predictXStartFromXPrev, [d, x, t, x], [noDiffusions, unlike, noTimesteps, unlike]),
  timestepNoise: [
    ...spoiled(timestepNoise, [k, x, t], [noKeys, noSamples, noTimesteps]),
    ...refused(timestepNoise, ...[null, -1, 0.5, Number.NaN, '0', 2 ** 31 - 2].map(first => [k, x, t, first])),
  ],
  pMeanVariance: sampled(pMeanVariance, noSamples, {}, noDenoising),
  conditionMean: [
    ...spoiled(
      conditionMean,
      [d, same, zero, x, t, {}],
      [
        noDiffusions,
        [...noFunctions, ...noResults.map(y => () => y)],
        [
          ...nothings,
          ...unlike.flatMap(y => [
            { ...zero, mean: y },
            { ...zero, variance: y },
          ]),
        ],
        unlike,
        noTimesteps,
        noOptions,
      ],
    ),
  ],
  conditionScore: [
    ...spoiled(
      conditionScore,
      [d, same, zero, x, t, {}],
      [
        noDiffusions,
        [...noFunctions, ...noResults.map(y => () => y)],
        [...nothings, ...unlike.flatMap(y => Object.keys(zero).map(name => ({ ...zero, [name]: y })))],
        unlike,
        noTimesteps,
        noOptions,
      ],
    ),
  ],
  pSample: sampled(pSample, noSamples, keyed, [...noDenoising, ...noConditions]).concat(
    refused(pSample, ...[...noSources, ...noNoise].map(options => [d, same, x, t, options])),
  ),
  ddimSample: sampled(ddimSample, noSamples, keyed, [...noDenoising, ...noConditions]).concat(
    refused(ddimSample, ...[{}, ...noNoise].map(options => [d, same, x, t, { eta: 1, ...options }])),
    refused(ddimSample, ...[-1, 9, Number.POSITIVE_INFINITY].map(eta => [d, same, x, t, { eta, noise: x }])),
  ),
  ddimReverseSample: sampled(ddimReverseSample, noSamples, {}, noDenoising),
  pSampleLoop: looped(pSampleLoop, keyed, [...noSources, ...noNoise]),
  pSampleTrajectory: looped(pSampleTrajectory, keyed, [...noSources, ...noNoise]),
  ddimSampleLoop: looped(ddimSampleLoop, keyed, [{ eta: 1 }, { eta: -1, key: k }]),
  ddimSampleTrajectory: looped(ddimSampleTrajectory, keyed, [{ eta: 1 }, { eta: -1, key: k }]),
  ddimReverseSampleLoop: looped(ddimReverseSampleLoop, {}).concat(
    refused(ddimReverseSampleLoop, [d, same, [2, 3], keyed]),
  ),
  trainingLosses: sampled(trainingLosses, noSamples, keyed).concat(
    refused(trainingLosses, ...[...noSources, ...noNoise].map(options => [d, same, x, t, options])),
  ),
  vbTermsBpd: spoiled(
    vbTermsBpd,
    [d, same, x, x, t, {}],
    [noDiffusions, models, unlike, unlike, noTimesteps, noOptions],
  ),
  priorBpd: spoiled(priorBpd, [d, x], [noDiffusions, noSamples]),
  calcBpdLoop: looped(calcBpdLoop, keyed, [...noSources, ...noNoise]),
  normalKl: [
    ...spoiled(
      normalKl,
      [x, x, x, x],
      [0, 1, 2, 3].map(() => [
        undefined,
        null,
        '0',
        [0],
        true,
        zeros([5]),
        ...(['int32', 'uint8', 'bool'] as const).map(dtype => zeros([2, 3], { dtype })),
      ]),
    ),
    ...refused(normalKl, [0, 0, 0, 0]),
  ],
  approxStandardNormalCdf: refused(
    approxStandardNormalCdf,
    [],
    ...[null, 3, 'x', [1], zeros([2], { dtype: 'uint8' })].map(y => [y]),
  ),
  discretizedGaussianLogLikelihood: [
    ...spoiled(
      discretizedGaussianLogLikelihood,
      [x, { means: x, logScales: x }],
      [
        unlike.filter(y => !(y as Tensor)?.shape?.length || true),
        [
          ...nothings,
          {},
          { means: x },
          x,
          { means: x, logScales: x, scales: x },
          ...unlike.flatMap(y => [
            { means: y, logScales: x },
            { means: x, logScales: y },
          ]),
        ],
      ],
    ),
  ],
  uniformSampler: [
    ...refused(uniformSampler, ...noSteps.map(steps => [steps])),
    ...spoiled(flat.update, [null, t, losses], [[], oddTimesteps, noLosses]).slice(0, -1),
    ...refused(flat.sample, ...noKeys.map(each => [null, each, 2]), ...noBatches.map(batch => [null, k, batch])),
    ...refused(flat.importanceWeights, ...oddTimesteps.map(each => [null, each])),
  ],
  lossSecondMomentSampler: [
    ...refused(lossSecondMomentSampler, ...noSteps.map(steps => [steps])),
    ...refused(lossSecondMomentSampler, ...noSteps.slice(1).map(historyPerTerm => [3, { historyPerTerm }])),
    ...refused(
      lossSecondMomentSampler,
      ...[null, -0.1, 1.1, Number.NaN, '0.5', tensor(0.5)].map(uniformProb => [3, { uniformProb }]),
    ),
    ...refused(lossSecondMomentSampler, ...[null, 3, [], { history: 3 }].map(options => [3, options])),
    ...spoiled(moment.update, [state, t, losses], [noStates, oddTimesteps, noLosses]),
    ...spoiled(moment.sample, [state, k, 2], [noStates, noKeys, noBatches]),
    ...spoiled(moment.importanceWeights, [state, t], [noStates, oddTimesteps]),
    ...refused(moment.weights, ...noStates.map(each => [each])),
  ],
};
