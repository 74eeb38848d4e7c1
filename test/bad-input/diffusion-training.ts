/** Training of diffusion models: wrong losses, weightings, samplers of times, trainers, states, batches, runs. */
import { isTensor, type Tensor, tensor, zeros } from 'tenfold';
import {
  denoisingLoss,
  edmProcess,
  edmWeighting,
  fileCheckpoint,
  fit,
  flowProcess,
  gaussianDiffusion,
  gaussianLoss,
  logitNormalSampler,
  logNormalSampler,
  minSnrWeighting,
  p2Weighting,
  sigmoidWeighting,
  stratifiedSampler,
  trainer,
} from 'tenfold/diffusion';
import { linear } from 'tenfold/nn';
import { scale } from 'tenfold/optim';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const d = gaussianDiffusion([0.1, 0.2, 0.3]);
const k = key(0);
const x = zeros([2, 3]);
const t = zeros([2], { dtype: 'int32' });
const same = (y: Tensor): Tensor => y;
const level = edmProcess().levelAt(tensor([1, 2]));
const example = { xStart: x, t, level, noise: x, inputs: null };

const nothings = [undefined, null, 3, 'x', true, []];
const noFunctions = [...nothings, {}, x];
const noKeys = [undefined, null, 0, [0, 0], tensor([0, 1])];
const noNumbers = [null, Number.NaN, '1', [1], tensor(1)];
const noBatches = [undefined, null, 0, -1, 1.5, '2', tensor(2)];
const unlike = [
  ...nothings,
  [[0, 0, 0]],
  zeros([2, 3], { dtype: 'int32' }),
  zeros([3]),
  zeros([2, 3], { dtype: 'float64' }),
];
const noLevels = [
  ...nothings,
  {},
  x,
  { alpha: 1, sigma: 1, time: 0 },
  { ...level, sigma: undefined },
  { ...level, alpha: t },
];
const outputs = [undefined, null, 3, zeros([2, 4]), zeros([3]), zeros([2, 3], { dtype: 'float64' })];
const spoiledExamples = [
  ...nothings,
  ...unlike.filter(each => !isTensor(each) || each.shape.length !== 1).map(noise => ({ ...example, noise })),
  { ...example, xStart: undefined },
  { ...example, xStart: zeros([]), noise: zeros([]) },
];

const weightings = (f: (...args: never[]) => (level: never, target: never) => unknown): BadInputs[string] => [
  ...refused(f(), ...noLevels.map(each => [each, 'x0'])),
  ...refused(f(), ...[undefined, null, 3, 'noise', 'toString'].map(target => [level, target])),
];

const times = (f: (...args: never[]) => { readonly sample: unknown }): BadInputs[string] => [
  ...refused(f, ...[null, 3, 'x', true, [], x, { means: 1 }, { stratifie: true }].map(options => [options])),
  ...refused(f().sample, ...noKeys.map(each => [null, each, 2]), ...noBatches.map(batch => [null, k, batch])),
];

const normalTimes = (f: (...args: never[]) => { readonly sample: unknown }): BadInputs[string] => [
  ...times(f),
  ...refused(f, ...[...noNumbers, Number.POSITIVE_INFINITY].flatMap(each => [[{ mean: each }], [{ deviation: each }]])),
  ...refused(f, [{ deviation: 0 }], [{ deviation: -1 }], [{ stratified: 1 }], [{ stratified: null }]),
];

const model = { init: () => ({}), apply: (_: unknown, y: Tensor) => y };
const made = { diffusion: d, model, optimizer: scale(-1) };
const flow = { process: flowProcess(), model, optimizer: scale(-1), timesteps: stratifiedSampler() };
const run = trainer({ diffusion: d, model: linear(3, 3) as never, optimizer: scale(-1) });
const begun = run.init(k);
const trained = (options: object, batch: unknown = x): unknown => {
  const { init, step } = trainer({ ...made, model: linear(3, 3), ...options } as never);
  return step(init(k), batch as never);
};
const times2 = zeros([2], { dtype: 'float64' });
const drawing = (drawn: unknown): unknown =>
  trained({
    ...flow,
    diffusion: undefined,
    model: linear(3, 3),
    timesteps: { ...stratifiedSampler(), sample: () => drawn },
  });
const guided = { conditioningDropout: { rate: 0.5, value: { y: 3 } } };

const checkpoint = { to: fileCheckpoint('no-such-file'), every: 1 };
const noCounts = [null, -1, 1.5, Number.NaN, '3', [3], tensor(3)];

export const diffusionTraining: BadInputs = {
  gaussianLoss: [
    ...refused(gaussianLoss, ...[...nothings, {}, x].map(each => [each])),
    ...refused(gaussianLoss(d), ...noFunctions.map(each => [each, example])),
    ...refused(gaussianLoss(d), ...outputs.map(y => [() => y, example])),
    ...refused(gaussianLoss(d), ...spoiledExamples.map(each => [same, each])),
    ...refused(
      gaussianLoss(d),
      ...[undefined, [0, 1], zeros([2]), zeros([3], { dtype: 'int32' })].map(each => [same, { ...example, t: each }]),
    ),
  ],
  denoisingLoss: [
    ...refused(denoisingLoss, ...[null, 3, 'mse', [], x, { predict: 'v' }].map(options => [options])),
    ...refused(
      denoisingLoss,
      ...[null, 3, 'noise', 'toString', {}].flatMap(each => [
        [{ prediction: each }],
        [{ target: each }],
        [{ scaling: each }],
        [{ metric: each }],
      ]),
    ),
    ...refused(
      denoisingLoss,
      ...[0, -1, ...noNumbers].flatMap(each => [[{ metric: { huber: each } }], [{ metric: { pseudoHuber: each } }]]),
    ),
    ...refused(denoisingLoss, [{ metric: { huber: 1, pseudoHuber: 1 } }], [{ metric: { toString: 1 } }]),
    ...refused(denoisingLoss, ...[null, 3, 'x', {}, x].flatMap(each => [[{ weighting: each }], [{ denoiser: each }]])),
    ...refused(denoisingLoss, [{ denoiser: same, prediction: 'v' }], [{ denoiser: same, scaling: 'flow' }]),
    ...[undefined, null, 3, 'x', [1], t, zeros([1]), zeros([2, 1]), zeros([3])].map(
      weight => () => denoisingLoss({ weighting: () => weight as never })(same, example),
    ),
    ...[undefined, 3, {}].map(made => () => denoisingLoss({ denoiser: () => made as never })(same, example)),
    ...[
      undefined,
      3,
      {},
      { x0: x },
      { x0: zeros([2, 1]), eps: x },
      { x0: zeros([2, 3], { dtype: 'float64' }), eps: x },
    ].map(parts => () => denoisingLoss({ denoiser: () => () => parts as never })(same, example)),
    ...refused(denoisingLoss(), ...noFunctions.map(each => [each, example])),
    ...refused(denoisingLoss(), ...outputs.map(y => [() => y, example])),
    ...refused(denoisingLoss(), ...spoiledExamples.map(each => [same, each])),
    ...refused(
      denoisingLoss(),
      ...[...noLevels, edmProcess().levelAt(zeros([3]))].map(each => [same, { ...example, level: each }]),
    ),
  ],
  minSnrWeighting: [
    ...refused(minSnrWeighting, ...[0, -1, ...noNumbers].map(gamma => [gamma])),
    ...weightings(minSnrWeighting),
  ],
  p2Weighting: [
    ...refused(p2Weighting, ...[null, 3, 'x', [], { g: 1 }].map(options => [options])),
    ...refused(p2Weighting, ...[-1, ...noNumbers].flatMap(each => [[{ gamma: each }], [{ k: each }]]), [{ k: 0 }]),
    ...weightings(p2Weighting),
  ],
  edmWeighting: [
    ...refused(edmWeighting, ...[0, -1, ...noNumbers].map(sigmaData => [sigmaData])),
    ...weightings(edmWeighting),
  ],
  sigmoidWeighting: [...refused(sigmoidWeighting, ...noNumbers.map(bias => [bias])), ...weightings(sigmoidWeighting)],
  logNormalSampler: normalTimes(logNormalSampler),
  logitNormalSampler: [
    ...normalTimes(logitNormalSampler),
    ...refused(logitNormalSampler, ...[0, -1, ...noNumbers.slice(1)].map(timeScale => [{ timeScale }])),
  ],
  stratifiedSampler: [
    ...times(stratifiedSampler),
    ...refused(stratifiedSampler, ...[null, 0, -1, 1.5, '4', [4], tensor(4)].map(numTimesteps => [{ numTimesteps }])),
    ...refused(
      stratifiedSampler,
      ...[null, 1, [], [0], [1, 0], [0, 0], ['0', '1'], [0, 1, 2], [0, Number.POSITIVE_INFINITY]].map(range => [
        { range },
      ]),
    ),
    ...refused(stratifiedSampler, [{ numTimesteps: 3, range: [0, 1] }]),
  ],
  trainer: [
    ...refused(trainer, [], ...[null, 3, [], {}, { ...made, emaDecay: 0.9 }].map(options => [options])),
    ...refused(trainer, ...[...nothings, {}, x, d.betas].map(each => [{ ...made, diffusion: each }])),
    ...refused(trainer, ...[...nothings.slice(1), {}, x].map(each => [{ ...flow, process: each }])),
    ...refused(trainer, [{ ...made, ...flow }], [{ ...flow, timesteps: undefined }]),
    ...refused(trainer, ...[...noFunctions.slice(1), { sample: same }].map(each => [{ ...made, timesteps: each }])),
    ...refused(trainer, ...noFunctions.slice(1).map(each => [{ ...made, loss: each }])),
    ...refused(
      trainer,
      ...[...noFunctions, same, { init: same }].flatMap(each => [
        [{ ...made, model: each }],
        [{ ...made, optimizer: each }],
      ]),
    ),
    ...refused(
      trainer,
      ...[null, Number.NaN, '0.9', [0.9], tensor(0.9), {}, { a: '0.9' }, { a: Number.NaN }].map(ema => [
        { ...made, ema },
      ]),
    ),
    ...refused(trainer, ...[null, 1, 'yes', x].map(skipNonFinite => [{ ...made, skipNonFinite }])),
    ...refused(
      trainer,
      ...[
        ...[null, 3, [], {}, { rate: 0.1 }],
        ...[2, '0.1'].map(rate => ({ rate, value: { y: 1 } })),
        ...[{}, { y: null }, [1]].map(value => ({ rate: 0.1, value })),
        { rate: 0.1, value: { y: 1 }, of: 1 },
      ].map(conditioningDropout => [{ ...made, conditioningDropout }]),
    ),
    ...[1.5, -1, { a: 2 }, ...[2, undefined, '0.9', tensor([0.5])].map(decay => () => decay)].map(
      ema => () => trained({ ema }),
    ),
    ...[undefined, 3, [1]].map(result => () => trained({ optimizer: { init: () => null, update: () => result } })),
    ...outputs
      .filter(y => !isTensor(y) || y.shape.length !== 1)
      .map(y => () => trained({ model: { ...linear(3, 3), apply: () => y } })),
    ...[undefined, 3, {}, { loss: 3 }].map(result => () => trained({ loss: () => result })),
    // One loss for each of the two examples, and whatever else it is made of.
    ...[zeros([]), zeros([1]), zeros([2, 1]), zeros([2, 2]), zeros([3]), t].flatMap(loss =>
      [made, { ...flow, diffusion: undefined }].map(
        each => () => trained({ ...each, model: linear(3, 3), loss: () => ({ loss }) }),
      ),
    ),
    ...[undefined, null, 3, [zeros([2])]].map(part => () => trained({ loss: () => ({ loss: zeros([2]), part }) })),
    ...[undefined, null, 3, {}, { t: times2 }, { t: times2, weights: 1 }].map(drawn => () => drawing(drawn)),
    ...[zeros([]), zeros([1]), zeros([2, 1]), zeros([3])].flatMap(each => [
      () => drawing({ t: times2, weights: each }),
      () => drawing({ t: each, weights: zeros([2]) }),
    ]),
    ...[x, { x }, { x, inputs: { z: t } }].map(batch => () => trained(guided, batch)),
    () => trained({ conditioningDropout: { rate: 0.5, value: { y: zeros([2]) } } }, { x, inputs: { y: t } }),
    ...[0.5, Number.NaN, 2 ** 31].map(
      y => () => trained({ conditioningDropout: { rate: 0.5, value: { y } } }, { x, inputs: { y: t } }),
    ),
    () => trained(guided, { x, inputs: { y: zeros([2], { dtype: 'bool' }) } }),
    ...refused(run.init, ...noKeys.map(each => [each])),
    ...refused(
      run.step,
      ...[undefined, null, 3, {}, { ...begun, key: 0 }, { ...begun, step: 0.5 }, { ...begun, step: zeros([2]) }].map(
        each => [each, x],
      ),
    ),
    ...refused(
      run.step,
      ...[
        undefined,
        null,
        3,
        [1],
        zeros([]),
        zeros([0, 3]),
        zeros([2, 3], { dtype: 'uint8' }),
        zeros([2, 3], { dtype: 'int32' }),
      ]
        .flatMap(batch => [batch, { x: batch }])
        .map(batch => [begun, batch]),
      ...[null, 3, [], t, { y: 3 }, { y: zeros([3]) }, { y: zeros([]) }, { key: k }].map(inputs => [
        begun,
        { x, inputs },
      ]),
      [begun, { x, labels: t }],
    ),
  ],
  fileCheckpoint: refused(fileCheckpoint, ...[undefined, null, 3, '', [], {}, x].map(path => [path])),
  fit: [
    ...refused(fit, ...[...nothings, {}, x, run.step].map(each => [each, k, [x]])),
    ...refused(fit, ...[undefined, null, 3, 'x', [], {}, { step: 3 }].map(start => [run, start, [x]])),
    ...refused(fit, ...[undefined, null, 3, true, {}, x].map(batches => [run, k, batches])),
    ...refused(
      fit,
      ...[
        ...[null, 3, [], { count: 3 }],
        ...noCounts.map(steps => ({ steps })),
        ...[null, 1, 'yes'].map(resume => ({ resume, checkpoint })),
        { resume: true },
        ...[null, 3, {}, { to: 'file', every: 1 }, { to: checkpoint.to, every: 0 }, { ...checkpoint, at: 1 }].map(
          each => ({ checkpoint: each }),
        ),
        ...[null, 3, {}, { patience: 0 }, { patience: 1, minDelta: -1 }, { patience: 1, delta: 1 }].map(earlyStop => ({
          earlyStop,
        })),
        ...[null, 3, {}, new AbortController()].map(signal => ({ signal })),
      ].map(options => [run, k, [x], options]),
    ),
  ],
};
