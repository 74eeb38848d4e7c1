/** Samplers in σ and the preconditioning of EDM: options, levels and networks that are none. */
import { type Tensor, tensor, zeros } from 'tenfold';
import {
  cIn,
  cNoise,
  cOut,
  cSkip,
  dpm2Ancestral,
  edmProcess,
  edmStochastic,
  euler,
  eulerAncestral,
  lms,
  preconditioned,
  rk4,
} from 'tenfold/diffusion';
import { type BadInputs, refused } from './types.js';

const noOptions = [null, 1, 'x', [], tensor(1), { bogus: 1 }];
const noNumbers = [null, Number.NaN, '1', [1], {}, tensor(1), true];
const negative = [...noNumbers, -1];
const noLevels = [undefined, null, 1, {}, tensor(1), { alpha: 1, sigma: 1, time: 1 }];

/** Calls with one option, in turn each of the bad values for it. */
const options = (f: unknown, bad: Readonly<Record<string, readonly unknown[]>>): BadInputs[string] =>
  refused(
    f,
    ...noOptions.map(each => [each]),
    ...Object.entries(bad).flatMap(([name, values]) => values.map(value => [{ [name]: value }])),
  );

const etas = { eta: [...noNumbers, -0.1, 1.1] };
const churns = { churn: negative, min: negative, max: negative, noise: [...negative, Number.POSITIVE_INFINITY] };
const crossed = { churn: 1, min: 2, max: 1 };
const x = zeros([2, 3]);
const level = edmProcess().levelAt(tensor(2));
const sigmaDatas = [...negative, 0, Number.POSITIVE_INFINITY];

/** A factor of a level and the deviation of the data. */
const factor = (f: unknown): BadInputs[string] =>
  refused(f, ...noLevels.map(each => [each]), ...sigmaDatas.map(sigmaData => [level, sigmaData]));

const same = (y: Tensor): Tensor => y;
const denoised =
  (model: unknown, ...args: readonly unknown[]) =>
  (): unknown => {
    const [first = x, second = level] = args;
    return preconditioned(model as typeof same)(first as Tensor, second as typeof level, { inputs: null, previous: x });
  };

export const sigmaSamplers: BadInputs = {
  euler: [...options(euler, churns), ...refused(euler, [crossed])],
  eulerAncestral: options(eulerAncestral, etas),
  dpm2Ancestral: options(dpm2Ancestral, etas),
  edmStochastic: [
    ...options(edmStochastic, { ...churns, order: [null, 0, 3, 1.5, '2', [2], tensor(2)] }),
    ...refused(edmStochastic, [crossed]),
  ],
  lms: options(lms, { order: [null, 0, 5, 1.5, -1, Number.NaN, '2', [2], tensor(2)] }),
  rk4: options(rk4, { path: [null, 1, 'x', 'preserving', 'toString', {}, ['flow']] }),
  cSkip: factor(cSkip),
  cOut: factor(cOut),
  cIn: factor(cIn),
  cNoise: refused(cNoise, ...noLevels.map(each => [each])),
  preconditioned: [
    ...refused(preconditioned, ...[undefined, null, 1, {}, x].map(model => [model])),
    ...refused(preconditioned, ...noOptions.map(each => [same, each])),
    ...refused(preconditioned, ...sigmaDatas.map(sigmaData => [same, { sigmaData }])),
    ...refused(preconditioned, ...[null, 1, 'x', 'x0', 'toString', {}].map(prediction => [same, { prediction }])),
    ...[undefined, 3, zeros([3]), zeros([2, 6]), zeros([2, 3], { dtype: 'float64' })].map(y => denoised(() => y)),
    ...[null, 3, [0], zeros([2, 3], { dtype: 'int32' })].map(y => denoised(same, y)),
    ...[...noLevels.slice(1), edmProcess().levelAt(zeros([3]))].map(each => denoised(same, x, each)),
    ...[undefined, null, 3].map(each => () => preconditioned(same)(x, level, each as never)),
  ],
};
