/** Training steps and sampling: networks that all libraries have, and the digits model as users of this one write it. */
import { jit, realize, type Tensor } from 'tenfold';
import { cosineBetas, gaussianDiffusion, pSampleLoop, respace, spaceTimesteps, trainer } from 'tenfold/diffusion';
import { residualMlp } from 'tenfold/nn';
import { adam } from 'tenfold/optim';
import { key, normal } from 'tenfold/random';
import { leaves } from 'tenfold/tree';
import { type Input, uniform } from '../inputs.js';
import { unetCosts } from '../networks/costs.js';
import { type UnetSizes, unetParams } from '../networks/unet.js';
import { stepInputs, unetStepInputs } from '../suites/step.js';
import { bytesOf, contendersOf, type Setting } from './cases.js';
import type { OwnLibrary } from './tenfold.js';
import type { Contender, GpuCase } from './timing.js';

const timesteps = 1000;

interface Sizes {
  readonly hidden: number;
  readonly blocks: number;
  readonly batch: number;
  readonly samples: number;
  readonly steps: number;
  readonly unet: UnetSizes;
  readonly unetSamples: number;
}

/** The digits model is that of examples/digits. */
const hardware: Sizes = {
  hidden: 256,
  blocks: 3,
  batch: 128,
  samples: 100,
  steps: 50,
  unet: { batch: 16, channels: 3, size: 32, width: 64, embedding: 64 },
  unetSamples: 16,
};
const software: Sizes = {
  hidden: 32,
  blocks: 1,
  batch: 16,
  samples: 10,
  steps: 4,
  unet: { batch: 2, channels: 1, size: 8, width: 8, embedding: 8 },
  unetSamples: 2,
};

/** √3 either way has the variance of standard normal noise. */
const noise = (seed: number, shape: readonly number[]): Input => uniform(seed, shape, -Math.sqrt(3), Math.sqrt(3));

/** Of x, the prediction of x₀, and noise, in ancestral sampling with the linear schedule; the first step first. */
const coefficients = (steps: number): Input => {
  let before = 1;
  const rows = Array.from({ length: steps }, (_, t) => {
    const beta = 1e-4 + ((0.02 - 1e-4) * t) / Math.max(1, steps - 1);
    const now = before * (1 - beta);
    const left = (1 - before) / (1 - now);
    const row = [left * Math.sqrt(1 - beta), (beta * Math.sqrt(before)) / (1 - now), Math.sqrt(beta * left)];
    before = now;
    return row;
  });
  return { values: Float32Array.from(rows.reverse().flat()), shape: [steps, 3] };
};

const layer = (seed: number, inputs: number, outputs: number): readonly Input[] => {
  const bound = 1 / Math.sqrt(inputs);
  return [uniform(seed, [inputs, outputs], -bound, bound), uniform(seed + 1, [outputs], -0.1, 0.1)];
};

const pixels = 64;

const samplingInputs = ({ samples, steps, hidden }: Sizes): readonly Input[] => [
  noise(0, [samples, pixels]),
  noise(1, [steps, samples, pixels]),
  coefficients(steps),
  uniform(2, [steps, hidden]),
  ...layer(3, pixels, hidden),
  ...layer(5, hidden, hidden),
  ...layer(7, hidden, pixels),
];

const imageShape = ({ channels, size }: UnetSizes, batch: number): readonly number[] => [batch, channels, size, size];

const unetSamplingInputs = ({ unet, unetSamples, steps }: Sizes): readonly Input[] => {
  const images = imageShape(unet, unetSamples);
  return [
    noise(0, images),
    noise(1, [steps, ...images]),
    coefficients(steps),
    uniform(2, [steps, unetSamples, unet.embedding]),
    ...unetParams(unet, 10),
  ];
};

/** What only this library has, on its devices. */
const ownContenders = (libraries: readonly OwnLibrary[], make: () => () => readonly Tensor[]): readonly Contender[] =>
  libraries.map(({ name: impl, threads, refusal, enter, launching }) => ({
    impl,
    threads,
    cannot: refusal('trainStep'),
    enter,
    compared: true,
    prepare: () => launching(make),
  }));

const diffusion = gaussianDiffusion(cosineBetas(timesteps), { meanType: 'startX' });

const modelOf = ({ hidden, blocks }: Sizes) => residualMlp({ size: pixels, hidden, blocks, embedding: 64 });

/** A step as users write it: timesteps and noise are drawn, and averages of the parameters kept. */
const digitsStep = (sizes: Sizes) => () => {
  const { init, step } = trainer({ diffusion, model: modelOf(sizes), optimizer: adam(1e-3) });
  const start = realize(init(key(0)));
  const images = realize(normal(key(1), [sizes.batch, 1, 8, 8])) as Tensor;
  return () => {
    const [next, { loss }] = step(start, images);
    return [loss, ...leaves(next)] as readonly Tensor[];
  };
};

const digitsSampling = (sizes: Sizes) => () => {
  const model = modelOf(sizes);
  const params = realize(model.init(key(0)));
  const short = respace(diffusion, spaceTimesteps(timesteps, `${sizes.steps}`));
  const sample = jit((p: typeof params) => {
    const predict = (x: Tensor, t: Tensor): Tensor => model.apply(p, x, t);
    return pSampleLoop(short, predict, [sizes.samples, 1, 8, 8], { key: key(2) }) as Tensor;
  });
  return () => [sample(params)];
};

const resultsOf = (inputs: readonly Input[], from: number): number => bytesOf(...inputs.slice(from).map(x => x.shape));

/** Training and sampling. */
export const networkCases = (
  setting: Setting,
  own: readonly OwnLibrary[],
): Readonly<Record<'train' | 'sample', readonly (() => GpuCase)[]>> => {
  const sizes = setting.small ? software : hardware;
  const { unet, steps, batch, hidden, blocks, samples, unetSamples } = sizes;
  const [train, sample] = [`${setting.mode} train`, `${setting.mode} sample`];
  const unetName = `U-Net ${unet.width}, ${unet.size}×${unet.size}`;
  // Adam divides by roots of small moments, and steps add up what differs in the last digits.
  const tolerance = 1e-3;
  return {
    train: [
      () => ({
        suite: train,
        name: `digits model, batch ${batch}`,
        results: 2 ** 22,
        tolerance,
        contenders: ownContenders(own, digitsStep(sizes)),
      }),
      () => {
        const inputs = stepInputs({ batch, hidden, blocks });
        return {
          suite: train,
          name: `MLP ${hidden}×${blocks}, batch ${batch}`,
          results: resultsOf(inputs, 2),
          tolerance,
          contenders: contendersOf(setting, 'trainStep', inputs),
        };
      },
      () => {
        const inputs = unetStepInputs(unet);
        return {
          suite: train,
          name: `${unetName}, batch ${unet.batch}`,
          flops: unetCosts(unet).step,
          results: resultsOf(inputs, 3),
          tolerance,
          contenders: contendersOf(setting, 'unetStep', inputs),
        };
      },
    ],
    sample: [
      () => ({
        suite: sample,
        name: `a step of the digits model, ${samples} samples`,
        results: resultsOf([noise(0, [samples, pixels])], 0),
        steps,
        // The noise is made of uniform numbers by functions that software adapters compute to 2e-4.
        tolerance: 1e-2,
        contenders: ownContenders(own, digitsSampling(sizes)),
      }),
      () => {
        const inputs = samplingInputs(sizes);
        return {
          suite: sample,
          name: `a step of an MLP ${hidden}, ${samples} samples`,
          results: resultsOf(inputs.slice(0, 1), 0),
          steps,
          tolerance,
          contenders: contendersOf(setting, 'sampling', inputs),
        };
      },
      () => {
        const inputs = unetSamplingInputs(sizes);
        return {
          suite: sample,
          name: `a step of ${unetName}, ${unetSamples} samples`,
          flops: steps * unetCosts({ ...unet, batch: unetSamples }).forward,
          results: resultsOf(inputs.slice(0, 1), 0),
          steps,
          tolerance,
          contenders: contendersOf(setting, 'unetSampling', inputs),
        };
      },
    ],
  };
};
