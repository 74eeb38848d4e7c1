/** Good calls of functions that take more than tensors and options: the walk puts odd arguments into their places. */
import { type Tensor, tensor, zeros } from 'tenfold';
import { shuffledIndices } from 'tenfold/data';
import { gaussianDiffusion, lossSecondMomentSampler, training, uniformSampler } from 'tenfold/diffusion';
import { encodeSafetensors } from 'tenfold/io';
import { adam, emaWarmup, scale, warmupCosine } from 'tenfold/optim';
import { key } from 'tenfold/random';
import { flatten } from 'tenfold/tree';

const d = gaussianDiffusion([0.1, 0.2, 0.3]);
const k = key(0);
const x = zeros([2, 3]);
const t = zeros([2], { dtype: 'int32' });
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
  'optim.updateEma': [{ w: x }, { w: x }, 0.9],
  'optim.emaWarmup': [0.9],
  'optim.warmupCosine': [{ peak: 1, warmup: 1, steps: 2, end: 0 }],
  'tree.flatten': [{ a: x }],
  'tree.leaves': [{ a: x }],
  'tree.map': [{ a: x }, same],
  'tree.reduce': [{ a: x }, same, 0],
  'tree.zipWith': [same, { a: x }, { a: x }],
  'tree.showPath': [['a', 0]],
  'data.shuffledIndices': [k, 4, 2],
  'data.toUnitRange': [zeros([2], { dtype: 'uint8' }), 16],
  'io.flattenTree': [{ a: x }],
  'io.restoreTree': [{ a: x }, { a: x }],
  'io.loadTree': ['no-such-folder/file', { a: x }],
  'io.saveTree': ['no-such-folder/file', { a: x }, { made: 'by hand' }],
  'io.encodeSafetensors': [{ a: x }, { made: 'by hand' }],
  'io.decodeSafetensors': [encodeSafetensors({ a: x })],
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
  ...samplerOf('uniformSampler', uniformSampler(3)),
  ...samplerOf('lossSecondMomentSampler', lossSecondMomentSampler(3) as never),
  unflatten: [flatten({ a: x }).unflatten, [[x]]],
  emaWarmup: [emaWarmup(0.9), [tensor(1)]],
  warmupCosine: [warmupCosine({ peak: 1, warmup: 1, steps: 2 }), [tensor(1)]],
  shuffledIndices: [shuffledIndices(k, 4, 2), [0]],
  'training.init': [run.init, [k]],
  'training.step': [run.step, [run.init(k), x]],
};
