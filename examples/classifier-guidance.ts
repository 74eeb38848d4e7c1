/**
 * Classifier guidance (Dhariwal & Nichol 2021, arXiv:2105.05233): an unconditional model is led to a class by the gradient of
 * a classifier that has seen noisy samples.
 *
 * The data are eight normal distributions on a circle. The denoiser knows nothing of labels. The classifier is a small
 * network, trained here on samples of all noise levels; `grad` gives ∇ₓ log p(y | x), and the modifier
 * `classifierGuidance` adds it to the score of whatever denoiser it is given, for every sampler.
 */
import {
  add,
  argmin,
  cdist,
  concat,
  crossEntropy,
  equal,
  exp,
  expandDims,
  fold,
  grad,
  log,
  mean,
  mul,
  neg,
  norm,
  realize,
  rsqrt,
  silu,
  square,
  sub,
  type Tensor,
  take,
  tensor,
  valueAndGrad,
} from 'tenfold';
import { eightGaussians } from 'tenfold/data';
import {
  addNoise,
  classifierGuidance,
  dpmSolverMultistep,
  edmProcess,
  karrasSigmas,
  levelsOf,
  sample,
} from 'tenfold/diffusion';
import { mlp } from 'tenfold/nn';
import { adam, applyUpdates } from 'tenfold/optim';
import { foldIn, key, normal, randint, split, uniform } from 'tenfold/random';
import { eightCentres, eightDeviation, mixtureDenoiser } from './common/mixture.js';
import { runAsProgram } from './common/program.js';
import { printTable } from './common/table.js';

const edm = edmProcess();
const [sigmaMin, sigmaMax] = [0.01, 20] as const;
const optimizer = adam(3e-3);
const network = mlp([3, 64, 64, 8], { activation: silu });
type Params = ReturnType<typeof network.init>;

interface Training {
  readonly params: Params;
  readonly memory: ReturnType<typeof optimizer.init>;
  readonly loss: Tensor;
}

/** Logits [N, 8] of points x [N, 2] that have noise of σ [N] in them: it sees them at unit variance, with log σ. */
const classify = (params: Params, x: Tensor, sigma: Tensor): Tensor => {
  const unit = mul(x, expandDims(rsqrt(add(square(sigma), 4)), 1));
  return network.apply(params, concat([unit, expandDims(log(sigma), 1)], { axis: 1 }));
};

/** Trains the classifier on points with noise of all levels. The whole training is one fold. */
const train = (steps: number, batch = 512): Training => {
  const first = network.init(key(0));
  return realize(
    fold(({ params, memory }: Training, step: Tensor): Training => {
      const [forPoints, forSigma, forNoise] = split(foldIn(key(1), step), 3);
      const { points, labels } = eightGaussians(forPoints!, batch);
      const sigma = exp(uniform(forSigma!, [batch], { low: Math.log(sigmaMin), high: Math.log(sigmaMax) }));
      const x = addNoise(points, edm.levelAt(sigma), normal(forNoise!, [batch, 2]));
      const [loss, gradient] = valueAndGrad((p: Params) => crossEntropy(classify(p, x, sigma), labels))(params);
      const [updates, next] = optimizer.update(gradient, memory, params);
      return { params: applyUpdates(params, updates), memory: next, loss };
    })({ params: first, memory: optimizer.init(first), loss: tensor(0) }, steps),
  );
};

export interface Options {
  readonly samples?: number;
  readonly trainingSteps?: number;
  readonly scales?: readonly number[];
}

export const main = async ({ samples = 1000, trainingSteps = 1500, scales = [0, 1, 4] }: Options = {}) => {
  const { params, loss } = train(trainingSteps);
  console.log(`The classifier's loss over all noise levels is ${Number(loss.item()).toFixed(3)}.`);

  const unconditional = mixtureDenoiser(eightCentres, eightDeviation);
  // ∇ log p(y | x): times are those of the process, σ for EDM's, and the inputs are the labels.
  const gradient = (x: Tensor, sigma: Tensor, wanted: Tensor): Tensor =>
    grad((y: Tensor) => neg(crossEntropy(classify(params, y, sigma), wanted, { reduction: 'sum' })))(x);

  const labels = randint(key(2), [samples], 0, 8);
  const centres = take(eightCentres, labels, { axis: 0 });
  const levels = levelsOf(edm, karrasSigmas(20, { min: sigmaMin, max: sigmaMax }));
  const rows = scales.map(scale => {
    const guided = classifierGuidance(gradient, { scale })(unconditional);
    const x = sample(dpmSolverMultistep(), guided, levels, [samples, 2], { key: key(3), inputs: labels });
    return {
      scale,
      'in the class that was asked for': mean(equal(argmin(cdist(x, eightCentres), { axis: 1 }), labels)).item(),
      'distance from its centre': mean(norm(sub(x, centres), { axis: 1 })).item(),
    };
  });
  console.log('Samples by the scale of the guidance:');
  printTable(rows);
  return { rows };
};

runAsProgram(import.meta, main);
