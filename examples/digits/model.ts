/** What is trained, a small U-Net that is told the digit, and how. A perceptron can take its place, to see that all goes well. */

import { add, reshape, type Shape, type Tensor } from 'tenfold';
import { cosineBetas, denoisingLoss, gaussianDiffusion, trainer } from 'tenfold/diffusion';
import {
  type EmbeddingParams,
  embedding,
  type Layer,
  type ResidualMlpParams,
  residualMlp,
  type UnetContext,
  unet,
} from 'tenfold/nn';
import { adam, chain, clipByGlobalNorm, emaWarmup, warmupCosine } from 'tenfold/optim';
import { type Key, split } from 'tenfold/random';
import { side } from './data.js';
import type { NetworkName } from './options.js';

/** Timesteps of the process. */
export const timesteps = 1000;
/** The class that stands for none: what guidance leads away from. */
export const noClass = 10;

export const diffusion = gaussianDiffusion(cosineBetas(timesteps));

/** Parameters of either network: a tree of tensors. */
export interface Params {
  readonly [name: string]: unknown;
}

/** A network that is told the time and the digit. */
export type Network = Layer<Params, readonly [x: Tensor, t: Tensor, context: UnetContext]>;

const small = unet({
  inChannels: 1,
  modelChannels: 32,
  outChannels: 1,
  numResBlocks: 1,
  attentionResolutions: [],
  channelMult: [1, 1],
  numClasses: noClass + 1,
  useScaleShiftNorm: true,
});

const perceptron = residualMlp({ size: side * side, hidden: 64, blocks: 1 });
/** What a digit adds to the pixels. */
const hints = embedding(noClass + 1, side * side);

interface HintedParams {
  readonly hints: EmbeddingParams;
  readonly layers: ResidualMlpParams;
}

const hinted: Layer<HintedParams, readonly [x: Tensor, t: Tensor, context: UnetContext]> = {
  init: key => {
    const [forHints, forLayers] = split(key, 2) as readonly [Key, Key];
    return { hints: hints.init(forHints), layers: perceptron.init(forLayers) };
  },
  apply: (params, x, t, { y }) => {
    const hint = hints.apply(params.hints, y as Tensor<Shape, 'int32'>);
    return perceptron.apply(params.layers, add(x, reshape(hint, x.shape)) as Tensor, t);
  },
};

const networks: Readonly<Record<NetworkName, Network>> = Object.freeze({
  unet: small as unknown as Network,
  mlp: hinted as unknown as Network,
});

export const networkOf = (name: NetworkName): Network => networks[name];

/** What the network predicts: v has about the same size at every noise level. */
export const prediction = 'v';

/** The trainer of a run of so many steps. One label in ten is left out, for classifier-free guidance. */
export const trainerFor = (network: NetworkName, steps: number) => {
  const learningRate = warmupCosine({ peak: 2e-3, warmup: Math.min(100, steps / 10), steps, end: 2e-5 });
  return trainer({
    diffusion,
    model: networkOf(network),
    loss: denoisingLoss<UnetContext>({ prediction }),
    optimizer: chain(clipByGlobalNorm(1), adam(learningRate, { beta2: 0.99 })),
    ema: emaWarmup(0.995),
    conditioningDropout: { rate: 0.1, value: { y: noClass } },
  });
};

export type State = ReturnType<ReturnType<typeof trainerFor>['init']>;
