/** Whole training steps. */
import { realize } from 'tenfold';
import { cosineBetas, gaussianDiffusion, trainer } from 'tenfold/diffusion';
import { residualMlp } from 'tenfold/nn';
import { adam } from 'tenfold/optim';
import { key, normal } from 'tenfold/random';
import type { Input } from '../inputs.js';
import type { NetworkStepName } from '../library.js';
import { type Case, measure } from '../measure.js';
import { transformerCosts, unetCosts } from '../networks/costs.js';
import type { TransformerSizes } from '../networks/transformer.js';
import type { UnetSizes } from '../networks/unet.js';
import { tenfold, tenfoldOnTwo } from '../peers/tenfold.js';
import { ownImpl, ownOnTwo, productImpl, type Row, rowOf } from '../row.js';
import { productBeside } from './conv.js';
import { memoryRows } from './memory.js';
import { mlpInputs, stepInputs, transformerInputs, unetStepInputs } from './step.js';
import { candidates, libraries, type Suite } from './suite.js';
import { quickerTarget, rateTarget } from './targets.js';

const suite = 'train';

/** A step of a diffusion model as users write it, un-jitted; the peers have no such thing. */
const diffusionStep = (hidden: number): Case => ({
  name: `residual MLP ${hidden}, batch 128`,
  runners: [
    {
      impl: 'tenfold',
      make: async () => {
        const model = residualMlp({ size: 64, hidden, blocks: 2 });
        const run = trainer({ diffusion: gaussianDiffusion(cosineBetas(1000)), model, optimizer: adam(1e-3) });
        const start = run.init(key(0));
        const batch = realize(normal(key(1), [128, 1, 8, 8]));
        return {
          impl: 'tenfold',
          threads: 1,
          enter: tenfold.enter,
          run: () => run.step(start, batch)[1].loss.item(),
        };
      },
    },
  ],
});

/** The step of the suite `compile`, with all libraries; the batch is 128 here too. */
const networkStep = (jitted: boolean): Case => ({
  name: `network step${jitted ? '' : ', un-jitted'}`,
  // Adam divides by roots of small moments, which enlarges differences in the last digits of the gradients.
  tolerance: 1e-3,
  runners: candidates({ program: 'trainStep', inputs: stepInputs({ batch: 128, hidden: 192, blocks: 2 }), jitted }),
});

const perceptron = 'MLP 784-512-512-10, batch 64';
const lengths = [784, 512, 512, 10];

const unetSizes: UnetSizes = { batch: 64, channels: 1, size: 8, width: 32, embedding: 64 };
const unetName = 'digits U-Net, batch 64';

const transformerSizes: TransformerSizes = { batch: 64, layers: 2, width: 128, hidden: 512, tokens: 32 };
const transformerName = 'transformer 2×128, batch 64';

/** Peers have one thread. */
const withThreads = [tenfold, tenfoldOnTwo, ...libraries.filter(library => library !== tenfold)];

/** Adam divides by roots of small moments, which enlarges differences in the last digits of the gradients. */
const tolerance = 1e-3;

const mlpStep = (): Case => {
  // Forward, and both gradients but for that of the input.
  const flops = lengths
    .slice(1)
    .reduce((sum, outputs, i) => sum + 2 * 64 * lengths[i]! * outputs * (i === 0 ? 2 : 3), 0);
  return {
    name: perceptron,
    flops,
    tolerance,
    runners: candidates({ program: 'mlpStep', inputs: mlpInputs(64, lengths) }, withThreads),
  };
};

/** Whose steps of other libraries take seconds; beside our product of matrices, as in \`conv\`. */
const largeStep = (name: string, program: NetworkStepName, inputs: readonly Input[], flops: number): Case => ({
  name,
  flops,
  // Results of the U-Net's step in tfjs-cpu are up to 2.5e-3 from those in float64; in tenfold and jax-js less than 1e-6.
  tolerance: 5e-3,
  once: 1,
  runners: [...candidates({ program, inputs }, withThreads), productBeside(flops)],
});

const [unet, transformer] = [unetCosts(unetSizes), transformerCosts(transformerSizes)];

const cases = (): readonly Case[] => [
  diffusionStep(192),
  networkStep(true),
  networkStep(false),
  mlpStep(),
  largeStep(unetName, 'unetStep', unetStepInputs(unetSizes), unet.step),
  largeStep(transformerName, 'transformerStep', transformerInputs(transformerSizes), transformer.step),
];

const memory = (): readonly Row[] => [
  ...memoryRows(perceptron, 'mlpStep', mlpInputs(64, lengths), 64 * (512 + 512)),
  ...memoryRows(unetName, 'unetStep', unetStepInputs(unetSizes), unet.kept),
  ...memoryRows(transformerName, 'transformerStep', transformerInputs(transformerSizes), transformer.kept),
];

export const train: Suite = {
  about: 'training steps, and the memory of some',
  run: async (effort, report) => {
    const timed = await measure(suite, cases(), effort, report);
    await tenfold.enter();
    const planned = memory();
    report(planned);
    return [...timed, ...planned];
  },
  targets: rows => [
    ...[perceptron, unetName, transformerName].flatMap(name =>
      [ownImpl, ownOnTwo].map(own => quickerTarget(suite, rows, name, 3, own)),
    ),
    rateTarget(
      { suite, what: unetName, goal: '≥ 50 % of the rate of products', atLeast: 0.5 },
      rowOf(rows, unetName),
      rowOf(rows, unetName, productImpl),
    ),
  ],
};
