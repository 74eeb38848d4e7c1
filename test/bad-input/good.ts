/** Good calls of functions that take more than tensors and options: the walk puts odd arguments into their places. */
import { Applicative } from 'fp-ts/lib/Option.js';
import { type Tensor, tensor, zeros } from 'tenfold';
import { fromArrays, shuffledIndices } from 'tenfold/data';
import { gaussianDiffusion, lossSecondMomentSampler, training, uniformSampler } from 'tenfold/diffusion';
import { encodeNpy, encodeSafetensors } from 'tenfold/io';
import {
  accumulate,
  adafactor,
  adam,
  clipByGlobalNorm,
  clipByValue,
  constantLR,
  emaWarmup,
  linearLR,
  lookahead,
  multiStepLR,
  multiTransform,
  muon,
  nadam,
  oneCycleLR,
  piecewiseLR,
  powerEma,
  reduceLROnPlateau,
  scale,
  sequentialLR,
  sgd,
  warmupCosine,
  weightDecay,
} from 'tenfold/optim';
import { key } from 'tenfold/random';
import { flatten } from 'tenfold/tree';

const d = gaussianDiffusion([0.1, 0.2, 0.3]);
const k = key(0);
const x = zeros([2, 3]);
const t = zeros([2], { dtype: 'int32' });
const rows = fromArrays(x);
const same = (y: unknown): unknown => y;
const zero = { mean: x, variance: x, logVariance: x, predXStart: x };
const diffusionOptions = {
  meanType: 'epsilon',
  varianceType: 'fixedSmall',
  lossType: 'mse',
  rescaleTimesteps: true,
  timestepMap: [0, 1, 2],
  originalNumSteps: 3,
};
const denoising = { modelInputs: null, clipDenoised: true, denoisedFn: same };
const noisy = { key: k, noise: undefined, firstSample: 0 };
const step = { ...denoising, ...noisy, condFn: same };
const loop = { ...step, dtype: 'float32', segments: 2 };
const model = { init: () => ({}), apply: (_: unknown, y: unknown) => y };

/** By function, with the entry point. */
export const good: Readonly<Record<string, readonly unknown[]>> = {
  'optim.adam': [0.1, { beta1: 0.9, beta2: 0.9, epsilon: 1 }],
  'optim.scaleByAdam': [{ beta1: 0.9, beta2: 0.9, epsilon: 1 }],
  'optim.scaleByLearningRate': [0.1],
  'optim.scale': [2],
  'optim.chain': [scale(2), adam(0.1)],
  'optim.applyUpdates': [{ w: x }, { w: x }],
  'optim.adamw': [0.1, { beta1: 0.9, beta2: 0.9, epsilon: 1, amsgrad: true, weightDecay: 0.1, maximize: false }],
  'optim.adamax': [0.1, { beta1: 0.9, beta2: 0.9, epsilon: 1, weightDecay: 0.1, maximize: false }],
  'optim.nadam': [0.1, { beta1: 0.9, beta2: 0.9, epsilon: 1, momentumDecay: 0.1, weightDecay: 0.1, maximize: false }],
  'optim.radam': [0.1, { beta1: 0.9, beta2: 0.9, epsilon: 1, weightDecay: 0.1, maximize: false }],
  'optim.adagrad': [
    0.1,
    { learningRateDecay: 0.1, initialAccumulator: 1, epsilon: 1, weightDecay: 0.1, maximize: false },
  ],
  'optim.adadelta': [0.1, { rho: 0.9, epsilon: 1, weightDecay: 0.1, maximize: false }],
  'optim.rmsprop': [0.1, { alpha: 0.9, epsilon: 1, momentum: 0.5, centered: true, weightDecay: 0.1, maximize: false }],
  'optim.sgd': [0.1, { momentum: 0.5, dampening: 0, nesterov: true, weightDecay: 0.1, maximize: false }],
  'optim.lion': [0.1, { beta1: 0.9, beta2: 0.9, weightDecay: 0.1, maximize: false }],
  'optim.lamb': [0.1, { beta1: 0.9, beta2: 0.9, epsilon: 1, weightDecay: 0.1, maximize: false }],
  'optim.adafactor': [
    0.1,
    {
      scaleParameter: true,
      decayRate: 0.8,
      clippingThreshold: 1,
      beta1: 0.9,
      epsilon: 1,
      minimumScale: 1,
      weightDecay: 0.1,
    },
  ],
  'optim.muon': [0.1, { momentum: 0.9, nesterov: true, steps: 2, epsilon: 1, adjust: 'original', weightDecay: 0.1 }],
  'optim.clipByGlobalNorm': [1, { ord: 2 }],
  'optim.clipByValue': [1],
  'optim.globalNorm': [{ w: x }, { ord: 2 }],
  'optim.weightDecay': [0.1, { mask: '**' }],
  'optim.multiTransform': [[['**', scale(2)]]],
  'optim.accumulate': [scale(2), 2, { reduce: 'mean' }],
  'optim.lookahead': [scale(2), { every: 2, rate: 0.5 }],
  'optim.emaPowerWarmup': [0.9, { inverseGamma: 1, power: 1, least: 0 }],
  'optim.powerEma': [0.1],
  'optim.constantLR': [0.1, { factor: 0.5, totalIters: 2 }],
  'optim.linearLR': [0.1, { startFactor: 0.5, endFactor: 1, totalIters: 2 }],
  'optim.polynomialLR': [0.1, { totalIters: 2, power: 2 }],
  'optim.exponentialLR': [0.1, { gamma: 0.9 }],
  'optim.stepLR': [0.1, { stepSize: 2, gamma: 0.9 }],
  'optim.multiStepLR': [0.1, { milestones: [1, 2], gamma: 0.9 }],
  'optim.cosineAnnealingLR': [0.1, { tMax: 2, etaMin: 0 }],
  'optim.cosineAnnealingWarmRestarts': [0.1, { t0: 2, tMult: 2, etaMin: 0 }],
  'optim.cyclicLR': [0.1, { maxRate: 1, stepSizeUp: 2, stepSizeDown: 2, mode: 'expRange', gamma: 0.9 }],
  'optim.oneCycleLR': [
    0.1,
    { totalSteps: 20, pctStart: 0.3, annealStrategy: 'cos', threePhase: true, divFactor: 2, finalDivFactor: 2 },
  ],
  'optim.oneCycleMomentum': [
    { totalSteps: 20, pctStart: 0.3, annealStrategy: 'cos', threePhase: true, baseMomentum: 0.8, maxMomentum: 0.9 },
  ],
  'optim.sequentialLR': [[constantLR(1), constantLR(2)], [3]],
  'optim.piecewiseLR': [
    [
      [0, 1],
      [2, 3],
    ],
    { between: 'linear' },
  ],
  'optim.reduceLROnPlateau': [
    0.1,
    { mode: 'min', factor: 0.1, patience: 1, threshold: 0.1, thresholdMode: 'rel', cooldown: 1 },
  ],
  'optim.updateEma': [{ w: x }, { w: x }, 0.9],
  'optim.emaWarmup': [0.9],
  'optim.warmupCosine': [{ peak: 1, warmup: 1, steps: 2, end: 0 }],
  'tree.flatten': [{ a: x }],
  'tree.leaves': [{ a: x }],
  'tree.map': [{ a: x }, same],
  'tree.mapWithPath': [{ a: x }, same],
  'tree.paths': [{ a: x }],
  'tree.select': [{ a: x }, '**'],
  'tree.update': [{ a: x }, '**', same],
  'tree.traverse': [Applicative],
  'tree.reduce': [{ a: x }, same, 0],
  'tree.zipWith': [same, { a: x }, { a: x }],
  'tree.showPath': [['a', 0]],
  'data.shuffledIndices': [k, 4, 2],
  'data.toUnitRange': [zeros([2], { dtype: 'uint8' }), 16],
  'data.fromArrays': [{ a: x }],
  'data.shuffle': [rows, k],
  'data.batch': [rows, 2, { dropLast: true }],
  'data.map': [rows, same],
  'data.take': [rows, 2],
  'data.repeat': [rows, 2],
  'data.prefetch': [rows, 2],
  'data.twoMoons': [k, 4, { noise: 0.1 }],
  'data.swissRoll': [k, 4, { noise: 0.1 }],
  'data.checkerboard': [k, 4],
  'data.eightGaussians': [k, 4, { scale: 4, noise: 0.1 }],
  'data.spirals': [k, 4, { noise: 0.1 }],
  'io.flattenTree': [{ a: x }],
  'io.restoreTree': [{ a: x }, { a: x }],
  'io.loadTree': ['no-such-folder/file', { a: x }],
  'io.saveTree': ['no-such-folder/file', { a: x }, { made: 'by hand' }],
  'io.encodeSafetensors': [{ a: x }, { made: 'by hand' }],
  'io.decodeSafetensors': [encodeSafetensors({ a: x }), { longIntegers: 'float64' }],
  'io.readSafetensors': [encodeSafetensors({ a: x }), { longIntegers: 'float64' }],
  'io.writeSafetensors': ['no-such-folder/file', { a: x }, { made: 'by hand' }, { a: 'F16' }],
  'io.encodeNpy': [x],
  'io.decodeNpy': [encodeNpy(x), { longIntegers: 'float64' }],
  'io.readNpy': [encodeNpy(x), { longIntegers: 'float64' }],
  'io.writeNpy': ['no-such-folder/file', x],
  'io.encodeNpz': [{ a: x }, { compress: true }],
  'io.readNpz': ['no-such-folder/file', { longIntegers: 'float64', maxBytes: 3 }],
  'io.writeNpz': ['no-such-folder/file', { a: x }, { compress: true }],
  'io.encodePng': [zeros([2, 3], { dtype: 'uint8' })],
  'io.readPng': ['no-such-folder/file', { maxBytes: 3 }],
  'io.writePng': ['no-such-folder/file', zeros([2, 3], { dtype: 'uint8' })],
  'io.encodeCsv': [x, { columns: ['a', 'b', 'c'], delimiter: ';' }],
  'io.decodeCsv': ['a;b', { header: true, delimiter: ';', dtype: 'float64', missing: 0 }],
  'io.readCsv': ['no-such-folder/file', { header: true, delimiter: ';', dtype: 'float64', missing: 0 }],
  'io.writeCsv': ['no-such-folder/file', x, { columns: ['a', 'b', 'c'], delimiter: ';' }],
  'diffusion.linearBetas': [3],
  'diffusion.cosineBetas': [3],
  'diffusion.namedBetas': ['cosine', 3],
  'diffusion.betasForAlphaBar': [3, () => 1, 0.9],
  'diffusion.diffusionCoefficients': [[0.1, 0.2]],
  'diffusion.gaussianDiffusion': [[0.1, 0.2, 0.3], diffusionOptions],
  'diffusion.respace': [d, [0, 1]],
  'diffusion.respaceBetas': [
    [0.1, 0.2],
    [0, 1],
  ],
  'diffusion.spaceTimesteps': [10, 2],
  'diffusion.extract': [[0.1, 0.2], t, x],
  'diffusion.modelTimesteps': [d, t, x],
  'diffusion.qMeanVariance': [d, x, t],
  'diffusion.qSample': [d, x, t, x],
  'diffusion.qPosteriorMeanVariance': [d, x, x, t],
  'diffusion.predictXStartFromEps': [d, x, t, x],
  'diffusion.predictEpsFromXStart': [d, x, t, x],
  'diffusion.predictXStartFromXPrev': [d, x, t, x],
  'diffusion.timestepNoise': [k, x, t, 0],
  'diffusion.pMeanVariance': [d, same, x, t, denoising],
  'diffusion.conditionMean': [d, same, zero, x, t, { modelInputs: null }],
  'diffusion.conditionScore': [d, same, zero, x, t, { modelInputs: null }],
  'diffusion.pSample': [d, same, x, t, step],
  'diffusion.ddimSample': [d, same, x, t, { ...step, eta: 1 }],
  'diffusion.ddimReverseSample': [d, same, x, t, denoising],
  'diffusion.pSampleLoop': [d, same, [2, 3], loop],
  'diffusion.pSampleTrajectory': [d, same, [2, 3], loop],
  'diffusion.ddimSampleLoop': [d, same, [2, 3], { ...loop, eta: 1 }],
  'diffusion.ddimSampleTrajectory': [d, same, [2, 3], { ...loop, eta: 1 }],
  'diffusion.ddimReverseSampleLoop': [d, same, x, { ...denoising, segments: 2 }],
  'diffusion.trainingLosses': [d, same, x, t, { modelInputs: null, ...noisy }],
  'diffusion.vbTermsBpd': [d, same, x, x, t, { modelInputs: null, clipDenoised: true }],
  'diffusion.priorBpd': [d, x],
  'diffusion.calcBpdLoop': [d, same, x, { modelInputs: null, clipDenoised: true, ...noisy }],
  'diffusion.normalKl': [x, x, x, x],
  'diffusion.approxStandardNormalCdf': [x],
  'diffusion.discretizedGaussianLogLikelihood': [x, { means: x, logScales: x }],
  'diffusion.uniformSampler': [3],
  'diffusion.lossSecondMomentSampler': [3, { historyPerTerm: 2, uniformProb: 0.1 }],
  'diffusion.training': [{ diffusion: d, model, optimizer: adam(0.1), emaDecay: 0.9 }],
};

/** Its own errors are in its own name. */
const constant = { init: () => ({ w: tensor(1) }), apply: (_: unknown, y: Tensor) => y };
const run = training({ diffusion: d, model: constant, optimizer: scale(-1) });

type Method = readonly [f: unknown, args: readonly unknown[]];

const methodsOf = (name: string, transform: ReturnType<typeof adam>): Readonly<Record<string, Method>> => ({
  [`${name}.init`]: [transform.init, [{ w: x }]],
  [`${name}.update`]: [transform.update, [{ w: x }, transform.init({ w: x }), { w: x }]],
});

const samplerOf = (name: string, sampler: ReturnType<typeof uniformSampler>): Readonly<Record<string, Method>> => ({
  [`${name}.update`]: [sampler.update, [sampler.init(), t, zeros([2])]],
  [`${name}.weights`]: [sampler.weights, [sampler.init()]],
  [`${name}.sample`]: [sampler.sample, [sampler.init(), k, 2]],
  [`${name}.importanceWeights`]: [sampler.importanceWeights, [sampler.init(), t]],
});

/** Functions that these functions give, and good calls of them. */
export const methods: Readonly<Record<string, Method>> = {
  ...methodsOf('adam', adam(0.1)),
  ...methodsOf('scale', scale(2) as never),
  ...methodsOf('sgd', sgd(0.1, { momentum: 0.9 }) as never),
  ...methodsOf('nadam', nadam(0.1) as never),
  ...methodsOf('adafactor', adafactor(0.1) as never),
  ...methodsOf('muon', muon(0.1) as never),
  ...methodsOf('clipByGlobalNorm', clipByGlobalNorm(1) as never),
  ...methodsOf('weightDecay', weightDecay(0.1) as never),
  ...methodsOf('multiTransform', multiTransform([['**', { init: () => null, update: y => [y, null] }]]) as never),
  ...methodsOf('accumulate', accumulate(clipByValue(1), 2) as never),
  ...methodsOf('lookahead', lookahead({ init: () => null, update: y => [y, null] }) as never),
  powerEma: [powerEma(0.1), [tensor(1)]],
  linearLR: [linearLR(0.1), [tensor(1)]],
  multiStepLR: [multiStepLR(0.1, { milestones: [1] }), [tensor(1)]],
  oneCycleLR: [oneCycleLR(0.1, { totalSteps: 20 }), [tensor(1)]],
  sequentialLR: [sequentialLR([linearLR(1), linearLR(2)], [3]), [tensor(1)]],
  piecewiseLR: [piecewiseLR([[0, 1]]), [tensor(1)]],
  reduceLROnPlateau: [reduceLROnPlateau(0.1).update, [reduceLROnPlateau(0.1).init(), 1]],
  ...samplerOf('uniformSampler', uniformSampler(3)),
  ...samplerOf('lossSecondMomentSampler', lossSecondMomentSampler(3) as never),
  unflatten: [flatten({ a: x }).unflatten, [[x]]],
  emaWarmup: [emaWarmup(0.9), [tensor(1)]],
  warmupCosine: [warmupCosine({ peak: 1, warmup: 1, steps: 2 }), [tensor(1)]],
  shuffledIndices: [shuffledIndices(k, 4, 2), [0]],
  'dataset.at': [rows.at, [0]],
  'dataset.from': [rows.from, [0, { signal: new AbortController().signal }]],
  'training.init': [run.init, [k]],
  'training.step': [run.step, [run.init(k), x]],
};
