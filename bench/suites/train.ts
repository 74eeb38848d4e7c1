/** Whole training steps. */
import { realize } from 'tenfold';
import { cosineBetas, gaussianDiffusion, training } from 'tenfold/diffusion';
import { residualMlp } from 'tenfold/nn';
import { adam } from 'tenfold/optim';
import { key, normal } from 'tenfold/random';
import { type Case, measure } from '../measure.js';
import { tenfold } from '../peers/tenfold.js';
import { mlpInputs, stepInputs } from './step.js';
import { candidates, type Suite } from './suite.js';
import { quickerTarget } from './targets.js';

/** A step of a diffusion model as users write it, un-jitted; the peers have no such thing. */
const diffusionStep = (hidden: number): Case => ({
  name: `residual MLP ${hidden}, batch 128`,
  runners: [
    {
      impl: 'tenfold',
      make: async () => {
        const model = residualMlp({ size: 64, hidden, blocks: 2 });
        const run = training({ diffusion: gaussianDiffusion(cosineBetas(1000)), model, optimizer: adam(1e-3) });
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

const mlpStep = (): Case => {
  const lengths = [784, 512, 512, 10];
  // Forward, and both gradients but for that of the input.
  const flops = lengths
    .slice(1)
    .reduce((sum, outputs, i) => sum + 2 * 64 * lengths[i]! * outputs * (i === 0 ? 2 : 3), 0);
  return {
    name: perceptron,
    flops,
    tolerance: 1e-3,
    runners: candidates({ program: 'mlpStep', inputs: mlpInputs(64, lengths) }),
  };
};

export const train: Suite = {
  about: 'training steps',
  run: (effort, report) =>
    measure('train', [diffusionStep(192), networkStep(true), networkStep(false), mlpStep()], effort, report),
  targets: rows => [quickerTarget('train', rows, perceptron, 3)],
};
