/** Diffusion: what is no level, process, denoiser, sampler or modifier, and what does not fit between them. */
import { type Tensor, tensor, zeros } from 'tenfold';
import {
  addNoise,
  classifierFreeGuidance,
  classifierGuidance,
  clipDenoised,
  combine,
  continuousProcess,
  convert,
  type Denoiser,
  ddim,
  denoiser,
  discreteProcess,
  dynamicThreshold,
  edmProcess,
  flowProcess,
  halfLogSnr,
  imageToImageStart,
  inpainting,
  levelsAt,
  levelsOf,
  mapX0,
  noiseToSignal,
  productOfExperts,
  reconstructionGuidance,
  repeatSteps,
  rescaleProcess,
  restart,
  restrictTo,
  reverseLevels,
  sample,
  sampleChunks,
  sampleState,
  sampleSteps,
  scaleOf,
  switchAt,
  tap,
  trajectory,
  truncate,
  withChurn,
  withCorrector,
  withInputs,
} from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const x = zeros([2, 3]) as Tensor;
const process = edmProcess();
const level = process.levelAt(tensor(2, { dtype: 'float64' }) as Tensor);
const levels = levelsOf(process, [2, 1]);
const plain: Denoiser = y => ({ x0: y, eps: y });
const context = { inputs: null, previous: x };
const k = { key: key(0) };

const nothings = [undefined, null, 3, 'x', true, []];
const noFunctions = [...nothings, {}, x];
const noOptions = [null, 3, 'x', [], { bogus: 1 }];
const noLevels = [
  ...nothings,
  {},
  x,
  { alpha: 1, sigma: 1 },
  { ...level, time: undefined },
  { ...level, alpha: x },
  { ...level, sigma: 3 },
];
const noProcesses = [...nothings, {}, x, { levelAt: process.levelAt }];
const noLevelLists = [...nothings, {}, level, process, { ...levels, process: null }, { ...levels, alpha: zeros([2]) }];
const noScalings = [undefined, null, 3, 'vp', 'toString', [], {}];
const noSamplers = [...nothings, {}, x, { init: () => ({ x, x0: x }) }];
const noTimes = [...nothings, {}, x, [null], ['1'], [Number.NaN], tensor(3), { length: 2 }];
const noEnds = [...noOptions, ...[null, 3, 'sigma', true].map(final => ({ final }))];
/** What cannot even be written into a message. */
const bare: unknown = Object.create(null);
const noNumbers = [null, '1', Number.NaN, [1], {}, bare];
const notFinite = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const unlike = [...nothings, zeros([3]), zeros([2, 3], { dtype: 'int32' }), zeros([2, 3], { dtype: 'float64' })];
const noRanges = [
  ...nothings,
  {},
  { ratio: 3 },
  { ratio: [2, 1] },
  { time: [0] },
  { ratio: [0, 1], time: [0, 1] },
  { ratio: [bare, 1] },
];
const noCounts = [undefined, null, 0, -1, 1.5, '2', Number.NaN, tensor(2)];
const noDenoised = [undefined, null, 3, x, { x0: x }, { x0: x, eps: zeros([3]) }, { x0: zeros([2]), eps: x }];

/** What all functions that run a sampler refuse. */
const runs = (f: unknown, more: object = {}): BadInputs[string] =>
  refused(
    f,
    ...noSamplers.map(each => [each, plain, levels, x, { ...more, ...k }]),
    ...[3, null, { x }].map(state => [{ init: () => state, step: ddim().step }, plain, levels, x, { ...more, ...k }]),
    ...[3, null, { x }].map(state => [{ init: ddim().init, step: () => state }, plain, levels, x, { ...more, ...k }]),
    ...[...noFunctions, ...noDenoised.map(each => () => each)].map(each => [
      ddim(),
      each,
      levels,
      x,
      { ...more, ...k },
    ]),
    ...noLevelLists.map(each => [ddim(), plain, each, x, { ...more, ...k }]),
    ...[undefined, null, 3, 'x', [], [-1], [1.5], zeros([]), zeros([2, 3], { dtype: 'int32' })].map(start => [
      ddim(),
      plain,
      levels,
      start,
      { ...more, ...k },
    ]),
    ...[null, 3, 'x', [], { bogus: 1 }].map(options => [ddim(), plain, levels, x, options]),
    [ddim(), plain, levels, [2, 3], more],
    [ddim({ eta: 1 }), plain, levels, x, more],
    ...[null, 3, [0, 0]].map(each => [ddim({ eta: 1 }), plain, levels, x, { ...more, key: each }]),
    ...[x, zeros([2, 1, 3, 3]), zeros([2, 0, 2, 3]), zeros([2, 1, 2, 3], { dtype: 'float64' }), null].map(noise => [
      ddim({ eta: 1 }),
      plain,
      levels,
      x,
      { ...more, noise },
    ]),
    [ddim({ eta: 1 }), plain, levels, x, { ...more, ...k, noise: zeros([2, 1, 2, 3]) }],
    ...[null, -1, 1.5, '0', 2 ** 31].map(firstSample => [
      ddim(),
      plain,
      levels,
      [2, 3],
      { ...more, ...k, firstSample },
    ]),
    [ddim({ eta: 1 }), plain, levels, x, { ...more, ...k, firstSample: 2 ** 31 - 2 }],
    ...[null, 'int32', 3].map(dtype => [ddim(), plain, levels, [2, 3], { ...more, ...k, dtype }]),
    ...[null, 0, 'root', {}].map(segments => [ddim(), plain, levels, x, { ...more, ...k, segments }]),
  );

const applied =
  (modify: (...args: never[]) => unknown, ...args: readonly unknown[]) =>
  () =>
    (modify as (...all: readonly unknown[]) => (d: Denoiser) => Denoiser)(...args)(plain)(x, level, context);

export const diffusionSampling: BadInputs = {
  noiseToSignal: refused(noiseToSignal, ...noLevels.map(each => [each])),
  halfLogSnr: refused(halfLogSnr, ...noLevels.map(each => [each])),
  scaleOf: refused(scaleOf, ...noLevels.map(each => [each, 'flow']), ...noScalings.map(each => [level, each])),
  combine: refused(
    combine,
    [],
    ...[...nothings, {}, x, [x], [1, null], ['1', x], [x, x], [1, zeros([2], { dtype: 'int32' })]].map(each => [each]),
    [
      [1, x],
      [2, zeros([3])],
    ],
    [[zeros([3]), x]],
  ),
  addNoise: refused(
    addNoise,
    ...unlike.map(each => [each, level, x]),
    ...unlike.map(each => [x, level, each]),
    ...[...noLevels, { ...level, sigma: zeros([3]) }].map(each => [x, each, x]),
  ),
  rescaleProcess: refused(
    rescaleProcess,
    ...noProcesses.map(each => [each, 'flow']),
    ...noScalings.map(each => [process, each]),
  ),
  discreteProcess: refused(discreteProcess, ...[...nothings, {}, x, process].map(each => [each])),
  flowProcess: refused(
    flowProcess,
    ...[...noOptions, ...[0, -1, ...noNumbers, ...notFinite].map(timeScale => ({ timeScale }))].map(each => [each]),
  ),
  continuousProcess: [
    ...refused(continuousProcess, ...[...nothings, {}, x, { logSnr: (t: Tensor) => t }].map(each => [each])),
    ...refused(
      continuousProcess,
      ...noScalings.slice(1).map(each => [{ logSnr: (t: Tensor) => t, time: (t: Tensor) => t }, each]),
    ),
  ],
  levelsAt: refused(
    levelsAt,
    ...noProcesses.map(each => [each, [2, 1]]),
    [{ levelAt: () => 0, levelOf: () => 0 }, [2, 1]],
    ...noTimes.map(each => [process, each]),
    ...noEnds.map(each => [process, [2, 1], each]),
    [process, [2], { final: 'none' }],
  ),
  levelsOf: refused(
    levelsOf,
    [process, [1, -1]],
    ...noProcesses.map(each => [each, [2, 1]]),
    [{ levelAt: () => 0, levelOf: () => 0 }, [2, 1]],
    ...noTimes.map(each => [process, each]),
    ...noEnds.map(each => [process, [2, 1], each]),
    [process, [2], { final: 'none' }],
  ),
  truncate: refused(
    truncate,
    ...noLevelLists.map(each => [each, 0.5]),
    ...[undefined, 0, -1, 1.5, ...noNumbers].map(each => [levels, each]),
  ),
  reverseLevels: refused(reverseLevels, ...noLevelLists.map(each => [each])),
  convert: [
    ...refused(
      convert,
      ...noScalings.flatMap(each => [
        [each, 'x0'],
        ['x0', each],
      ]),
    ),
    ...unlike.map(each => () => convert('epsilon', 'x0')(each as Tensor, x, level)),
    ...unlike.map(each => () => convert('epsilon', 'x0')(x, each as Tensor, level)),
    ...noLevels.map(each => () => convert('epsilon', 'x0')(x, x, each as typeof level)),
  ],
  denoiser: [
    ...refused(denoiser, ...noFunctions.map(each => [each]), ...noOptions.map(each => [plain, each])),
    ...refused(
      denoiser,
      ...[null, 3, 'toString', 'eps'].flatMap(each => [
        [plain, { prediction: each }],
        [plain, { scaling: each }],
      ]),
      ...[null, 1, 'yes'].map(learnedVariance => [plain, { learnedVariance }]),
    ),
    ...[...unlike, zeros([2, 6])].map(each => () => denoiser(() => each as Tensor)(x, level, context)),
    ...[...noLevels, process.levelAt(zeros([3]))].map(each => () => denoiser(y => y)(x, each as typeof level, context)),
    ...[undefined, null, 3].map(each => () => denoiser(y => y)(x, level, each as never)),
    () => denoiser(y => y, { learnedVariance: true })(x, level, context),
  ],
  sample: runs(sample),
  sampleState: runs(sampleState),
  sampleSteps: runs(sampleSteps),
  // What its steps refuse is told when they are taken.
  trajectory: refused(
    trajectory,
    ...noSamplers.map(each => [each, plain, levels, x, k]),
    ...noFunctions.map(each => [ddim(), each, levels, x, k]),
    ...noLevelLists.map(each => [ddim(), plain, each, x, k]),
    ...[undefined, null, 3, [], zeros([])].map(each => [ddim(), plain, levels, each, k]),
    ...noOptions.map(each => [ddim(), plain, levels, x, each]),
  ),
  sampleChunks: [
    ...runs(sampleChunks, { chunk: 1 }),
    ...refused(sampleChunks, ...noCounts.map(chunk => [ddim(), plain, levels, x, { ...k, chunk }])),
    ...refused(
      sampleChunks,
      ...[3, 'x', tensor(1), zeros([3])].map(inputs => [ddim(), plain, levels, x, { ...k, chunk: 1, inputs }]),
    ),
  ],
  imageToImageStart: refused(
    imageToImageStart,
    ...[...nothings, zeros([]), zeros([2], { dtype: 'int32' })].map(each => [each, levels, k]),
    ...noLevelLists.map(each => [x, each, k]),
    ...[undefined, ...noOptions, {}, { ...k, noise: x }, { noise: zeros([3]) }, { key: 3 }].map(each => [
      x,
      levels,
      each,
    ]),
    ...[null, -1, 1.5, '0', 2 ** 31].map(firstSample => [x, levels, { ...k, firstSample }]),
  ),
  mapX0: [
    ...refused(
      mapX0,
      ...noFunctions.map(each => [each]),
      ...[...noOptions, ...[null, 1].map(keepNoise => ({ keepNoise }))].map(each => [() => x, each]),
    ),
    ...unlike.map(each => applied(mapX0, () => each)),
  ],
  clipDenoised: refused(
    clipDenoised,
    ...[...noOptions, ...[0, -1, ...noNumbers].map(range => ({ range })), { keepNoise: 1 }].map(each => [each]),
  ),
  dynamicThreshold: refused(
    dynamicThreshold,
    ...[
      ...noOptions,
      ...[-0.1, 1.1, ...noNumbers].map(ratio => ({ ratio })),
      ...[0.5, ...noNumbers].map(max => ({ max })),
      { keepNoise: 1 },
    ].map(each => [each]),
  ),
  classifierGuidance: [
    ...refused(
      classifierGuidance,
      ...noFunctions.map(each => [each]),
      ...[
        ...noOptions,
        ...[...noNumbers, ...notFinite, x, tensor(1, { dtype: 'int32' })].map(scale => ({ scale })),
        ...[null, 'noise', bare].map(on => ({ on })),
        ...noScalings.slice(1).map(scaling => ({ scaling })),
      ].map(each => [() => x, each]),
    ),
    ...unlike.map(each => applied(classifierGuidance, () => each)),
    applied(classifierGuidance, () => x, { scale: zeros([3]) }),
  ],
  classifierFreeGuidance: [
    ...refused(
      classifierFreeGuidance,
      ...noFunctions.map(each => [each, { weight: 2 }]),
      ...[
        ...[undefined, ...noOptions, {}],
        ...[...noNumbers, ...notFinite, x].map(weight => ({ weight })),
        ...[-0.1, 1.1, ...noNumbers].map(rescale => ({ weight: 2, rescale })),
        ...[null, 'eps'].map(prediction => ({ weight: 2, prediction })),
        ...noRanges.slice(1).map(interval => ({ weight: 2, interval })),
      ].map(each => [plain, each]),
    ),
    applied(classifierFreeGuidance, plain, { weight: zeros([3]) }),
    applied(classifierFreeGuidance, () => ({ x0: zeros([3]), eps: x }), { weight: 2 }),
  ],
  inpainting: [
    ...refused(
      inpainting,
      ...[...nothings, {}].flatMap(each => [
        [each, x],
        [x, each],
      ]),
    ),
    ...[zeros([3, 3]), zeros([1, 2, 3]), zeros([2, 3], { dtype: 'float64' }), zeros([3], { dtype: 'int32' })].flatMap(
      each => [applied(inpainting, each, x), applied(inpainting, x, each), applied(inpainting, () => each, x)],
    ),
    applied(inpainting, () => null, x),
  ],
  reconstructionGuidance: [
    ...refused(
      reconstructionGuidance,
      ...noFunctions.map(each => [each, x]),
      ...[...nothings, {}].map(each => [() => x, each]),
      ...[...noOptions, ...[...noNumbers, x].map(scale => ({ scale }))].map(each => [() => x, x, each]),
    ),
    ...unlike.map(each => applied(reconstructionGuidance, () => each, x)),
    applied(reconstructionGuidance, () => zeros([3]), zeros([3])),
    applied(reconstructionGuidance, () => zeros([]), zeros([])),
    applied(reconstructionGuidance, (y: Tensor) => y, x, { scale: zeros([3]) }),
  ],
  restrictTo: refused(
    restrictTo,
    ...noRanges.map(each => [each, clipDenoised()]),
    ...noFunctions.map(each => [{ ratio: [0, 1] }, each]),
  ),
  withInputs: refused(withInputs, [], [undefined]),
  productOfExperts: [
    ...refused(
      productOfExperts,
      ...[undefined, null, 3, plain, [], [null], [x]].map(each => [each, [1]]),
      ...[undefined, null, 3, [], [null], ['1'], [1, 2], [Number.NaN], notFinite.slice(1)].map(each => [[plain], each]),
      ...[...noOptions, ...noFunctions.slice(1).map(base => ({ base }))].map(each => [[plain], [1], each]),
    ),
    () => productOfExperts([plain, () => ({ x0: zeros([3]), eps: x })], [1, 1])(x, level, context),
  ],
  ddim: refused(ddim, ...[...noOptions, ...[-0.1, 1.1, ...noNumbers].map(eta => ({ eta }))].map(each => [each])),
  switchAt: refused(
    switchAt,
    ...[undefined, ...noNumbers].map(each => [each, ddim(), ddim()]),
    ...noSamplers.flatMap(each => [
      [1, each, ddim()],
      [1, ddim(), each],
    ]),
  ),
  withChurn: refused(
    withChurn,
    ...noSamplers.map(each => [each]),
    ...[
      ...noOptions,
      ...['churn', 'min', 'max', 'noise'].flatMap(name => [-1, ...noNumbers].map(value => ({ [name]: value }))),
      { min: 2, max: 1 },
    ].map(each => [ddim(), each]),
  ),
  tap: refused(tap, ...noSamplers.map(each => [each, () => x, x]), ...noFunctions.map(each => [ddim(), each, x])),
  repeatSteps: refused(repeatSteps, ...noCounts.map(each => [each, ddim()]), ...noSamplers.map(each => [2, each])),
  restart: refused(
    restart,
    ...noSamplers.map(each => [each, levels]),
    ...noLevelLists.map(each => [ddim(), each]),
    ...[...noOptions, ...noCounts.slice(1).map(times => ({ times }))].map(each => [ddim(), levels, each]),
  ),
  withCorrector: [
    ...refused(
      withCorrector,
      ...noSamplers.map(each => [each, { correct: () => x }]),
      ...[...nothings, {}, x].map(each => [ddim(), each]),
    ),
    ...unlike.map(
      each => () =>
        withCorrector(ddim(), { correct: () => each as Tensor }).step(
          { x, x0: x },
          { from: level, to: level } as never,
          () => ({ x0: x, eps: x }),
        ),
    ),
  ],
};
