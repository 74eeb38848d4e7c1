/** Score SDEs, latent diffusion and consistency models: wrong options, processes, autoencoders, levels, losses, examples. */
import { isTensor, type Tensor, tensor, zeros } from 'tenfold';
import {
  consistencyDecay,
  consistencyDistillation,
  consistencyLevels,
  consistencyStages,
  consistencyTimes,
  consistencyTraining,
  denoisingLoss,
  edmProcess,
  eulerMaruyama,
  latentDiffusion,
  latentScale,
  levelsOf,
  subVpProcess,
  veProcess,
  vpProcess,
} from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const x = zeros([2, 3]);
const same = (y: Tensor): Tensor => y;
const nothings = [undefined, null, 3, 'x', true, []];
const noFunctions = [...nothings, {}, x];
const noOptions = [null, 3, 'x', true, [], x, { sigma: 1 }];
const noPositives = [null, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', [1], tensor(1)];
const noCounts = [null, 0, -1, 1.5, '2', [2], tensor(2)];
const noKeys = [null, 0, [0, 0], tensor([0, 1])];

const process = edmProcess();
const levels = levelsOf(process, [2, 1]);
const stages = [{ levels: 2, until: 3 }];
const rising = consistencyLevels(process, stages);
const first = tensor(0, { dtype: 'int32' });
const noSteps = [undefined, null, 0, 'x', tensor(0), zeros([1], { dtype: 'int32' })];
const noStages = [
  ...[undefined, null, 3, 'x', [], {}, x, [3], [null], [{ levels: 2 }]],
  ...[[{ levels: 1, until: 3 }], [{ levels: 2, until: 0 }], [{ levels: 2.5, until: 3 }]],
  [
    { levels: 2, until: 3 },
    { levels: 3, until: 3 },
  ],
];
const noLevels = [...nothings, {}, x, process, { ...levels, process: undefined }];
const outputs = [undefined, null, 3, zeros([2, 4]), zeros([3]), zeros([2, 3], { dtype: 'float64' })];

const vp = vpProcess();
const sdes: BadInputs[string] = [
  ...refused(vpProcess, ...noOptions.map(each => [each])),
  ...refused(
    vpProcess,
    ...noPositives.flatMap(each => [[{ betaMin: each }], [{ betaMax: each }], [{ timeScale: each }]]),
    [{ betaMin: 2, betaMax: 1 }],
    [{ betaMin: 21 }],
  ),
];

const parts = (y: Tensor) => ({ x0: y, eps: y });

const ends = { encode: same, decode: same };
const latent = latentDiffusion(ends);
const example = {
  xStart: x,
  t: tensor([2, 1]),
  level: process.levelAt(tensor([2, 1])),
  noise: x,
  inputs: { key: key(0) },
};

const spoiled = [
  ...nothings,
  ...[undefined, [[0]], zeros([2, 3], { dtype: 'int32' }), zeros([])].map(xStart => ({ ...example, xStart })),
];
const spoiledNoise = [undefined, null, [[0]], zeros([3]), zeros([2, 3], { dtype: 'float64' })].map(noise => ({
  ...example,
  noise,
}));
const noTimes = [undefined, null, 2, [2, 1], tensor(2), zeros([3]), zeros([2, 1]), zeros([2], { dtype: 'bool' })];
const spoiledTimes = noTimes.map(t => ({ ...example, t }));

const ofModels = (loss: unknown): BadInputs[string] => [
  ...refused(loss, ...noFunctions.map(each => [each, example])),
  ...refused(loss, ...outputs.map(y => [() => y, example])),
  ...refused(loss, ...[...spoiled, ...spoiledNoise, ...spoiledTimes].map(each => [same, each])),
];

const ofLosses = (made: (options: unknown) => unknown): BadInputs[string] => [
  ...refused(made, ...[null, 3, 'x', [], x, { solve: 1 }].map(options => [options])),
  ...refused(
    made,
    ...[null, 3, 'lpips', {}, [], { huber: 1 }, { pseudoHuber: 1, huber: 1 }].map(metric => [{ metric }]),
  ),
  ...refused(made, ...[0, -1, Number.NaN, '1', null].map(c => [{ metric: { pseudoHuber: c } }])),
  ...refused(made, ...[null, 3, 'x', {}, x].flatMap(each => [[{ denoiser: each }], [{ weighting: each }]])),
  ...refused(
    made,
    ...[null, 3, 'ema', [], {}, { average: 3 }, { average: undefined }, { average: 'a', of: 1 }].map(target => [
      { target },
    ]),
  ),
  ...[undefined, null, 3, zeros([2], { dtype: 'int32' }), zeros([1]), zeros([2, 1]), zeros([3])].map(
    weight => () => (made({ weighting: () => weight }) as (...args: unknown[]) => unknown)(same, example),
  ),
  ...[undefined, null, 3, () => 3].map(
    average => () => (made({ target: 'average' }) as (...args: unknown[]) => unknown)(same, { ...example, average }),
  ),
  ...[undefined, 3, {}].map(
    each => () => (made({ denoiser: () => each }) as (...args: unknown[]) => unknown)(same, example),
  ),
  ...ofModels(made({})),
];

export const diffusionProcesses: BadInputs = {
  vpProcess: sdes,
  subVpProcess: [
    ...refused(subVpProcess, ...noOptions.map(each => [each])),
    ...refused(subVpProcess, ...noPositives.map(betaMin => [{ betaMin }]), [{ betaMin: 2, betaMax: 1 }]),
  ],
  veProcess: [
    ...refused(veProcess, ...noOptions.map(each => [each])),
    ...refused(
      veProcess,
      ...noPositives.flatMap(each => [[{ sigmaMin: each }], [{ sigmaMax: each }], [{ timeScale: each }]]),
      [{ sigmaMin: 2, sigmaMax: 2 }],
    ),
  ],
  eulerMaruyama: [
    ...refused(eulerMaruyama, ...[...noFunctions, process].map(each => [each])),
    ...refused(eulerMaruyama, ...['drift', 'diffusion', 'levelOf'].map(name => [{ ...vp, [name]: 3 }])),
    ...refused(eulerMaruyama, ...noOptions.map(each => [vp, each])),
    ...refused(eulerMaruyama, ...[null, -0.1, 1.1, Number.NaN, '1', tensor(1)].map(eta => [vp, { eta }])),
  ],
  latentScale: refused(latentScale, ...[...nothings, {}, zeros([2], { dtype: 'int32' })].map(each => [each])),
  latentDiffusion: [
    ...refused(latentDiffusion, [], ...[null, 3, 'x', [], x, { ...ends, factor: 1 }].map(each => [each])),
    ...refused(
      latentDiffusion,
      ...noFunctions.flatMap(each => [[{ ...ends, encode: each }], [{ ...ends, decode: each }]]),
    ),
    ...refused(
      latentDiffusion,
      ...[null, Number.NaN, Number.POSITIVE_INFINITY, '1', [1], zeros([3], { dtype: 'int32' })].flatMap(each => [
        [{ ...ends, scale: each }],
        [{ ...ends, shift: each }],
      ]),
      [{ ...ends, scale: 0 }],
    ),
    ...refused(latent.encode, ...[...nothings, zeros([2], { dtype: 'int32' })].map(each => [each])),
    ...refused(latent.encode, ...noKeys.map(each => [x, each])),
    ...refused(latent.decode, ...[...nothings, zeros([2], { dtype: 'int32' })].map(each => [each])),
    ...[...nothings, {}, { mean: x }, { mean: x, logVariance: zeros([3]) }, zeros([2], { dtype: 'int32' })].map(
      each => () => latentDiffusion({ ...ends, encode: () => each as never }).encode(x),
    ),
    ...refused(latent.loss, ...noFunctions.map(each => [each])),
    ...refused(latent.loss(denoisingLoss() as never), ...noFunctions.map(each => [each, example])),
    ...refused(latent.loss(denoisingLoss() as never), ...spoiled.map(each => [same, each])),
    ...refused(
      latent.loss(denoisingLoss() as never),
      ...[undefined, null, 3, {}, ...noKeys.map(each => ({ key: each }))].map(inputs => [same, { ...example, inputs }]),
    ),
  ],
  consistencyTimes: [
    ...refused(consistencyTimes, ...noLevels.map(each => [each])),
    ...refused(consistencyTimes, ...noOptions.map(each => [levels, each])),
    ...refused(consistencyTimes, ...[null, 3, 'normal', {}].map(distribution => [levels, { distribution }])),
    ...refused(consistencyTimes, ...[null, Number.NaN, '1', tensor(1)].map(mean => [levels, { mean }])),
    ...refused(consistencyTimes, ...[null, 0, -1, Number.NaN, '1'].map(deviation => [levels, { deviation }])),
    ...refused(
      consistencyTimes,
      [levels, { distribution: 'uniform', mean: 0 }],
      [levels, { distribution: 'uniform', deviation: 1 }],
    ),
    ...refused(consistencyTimes(levels).sample, ...[undefined, ...noKeys].map(each => [null, each, 2])),
    ...refused(consistencyTimes(levels).sample, ...noCounts.map(batch => [null, key(0), batch])),
    ...refused(consistencyTimes(rising).sample, ...noSteps.map(step => [null, key(0), 2, step])),
    ...refused(consistencyTimes((() => 3) as never).sample, [null, key(0), 2, first]),
  ],
  consistencyStages: [
    ...refused(consistencyStages, [], ...noCounts.map(steps => [steps])),
    ...refused(consistencyStages, ...noOptions.map(each => [1000, each])),
    ...refused(
      consistencyStages,
      ...noCounts.flatMap(each => [
        [1000, { first: each }],
        [1000, { last: each }],
      ]),
    ),
    ...refused(consistencyStages, [1000, { first: 4, last: 3 }], [7]),
    ...refused(consistencyStages, ...[null, 3, 'linear', {}].map(growth => [1000, { growth }])),
    ...refused(consistencyStages, [1000, { growth: 'squareRoot', first: 1 }], [9, { growth: 'squareRoot', last: 1 }]),
  ],
  consistencyLevels: [
    ...refused(consistencyLevels, ...[...nothings, {}, x].map(each => [each, stages])),
    ...refused(consistencyLevels, ...noStages.map(each => [process, each])),
    ...refused(consistencyLevels, ...noFunctions.slice(1).map(each => [process, stages, each])),
    ...refused(
      consistencyLevels,
      ...[undefined, 3, [1], [1, 2], [2, 2], [2, Number.NaN], ['2', '1'], [1, -1]].map(each => [
        process,
        stages,
        () => each,
      ]),
    ),
    ...refused(rising, ...noSteps.map(step => [step])),
  ],
  consistencyDecay: [
    ...refused(consistencyDecay, ...noStages.map(each => [each])),
    ...refused(consistencyDecay, ...[null, -0.1, 1.1, Number.NaN, '1', tensor(1)].map(each => [stages, each])),
    ...refused(consistencyDecay(stages), ...noSteps.map(step => [step])),
  ],
  consistencyTraining: [
    ...refused(consistencyTraining, ...noLevels.map(each => [each])),
    ...refused(consistencyTraining(rising), ...noSteps.map(step => [same, { ...example, step }])),
    ...refused(consistencyTraining((() => 3) as never), [same, { ...example, step: first }]),
    ...ofLosses(options => consistencyTraining(levels, options as never)),
  ],
  consistencyDistillation: [
    ...refused(consistencyDistillation, ...noLevels.map(each => [each, parts])),
    ...refused(consistencyDistillation, ...noFunctions.map(each => [levels, each])),
    ...refused(consistencyDistillation, ...[null, 3, 'rk4', {}].map(solver => [levels, parts, { solver }])),
    ...ofLosses(options => consistencyDistillation(levels, parts, options as never)),
    ...outputs.map(y => () => consistencyDistillation(levels, () => y as never)(same, example as never)),
    ...outputs
      .filter(y => !isTensor(y) || y.shape.length > 0)
      .map(y => () => consistencyDistillation(levels, () => ({ x0: y, eps: x }) as never)(same, example as never)),
  ],
};
