/** Draws from distributions. */
import { tensor } from 'tenfold';
import { beta, dirichlet, exponential, gamma, gumbel, key, laplace, studentT } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const k = key(0);
const noParameters = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', null, undefined, [1]];
const noOptions = [{ dtype: 'int32' }, { dtype: 'float16' }, { shape: [-1] }, { shape: 3 }, { size: [2] }, null];

const plain = (f: unknown): readonly (() => unknown)[] =>
  refused(
    f,
    [tensor([0, 1]), [2]],
    [0, [2]],
    [k],
    [k, 3],
    [k, [1.5]],
    [k, [2], { dtype: 'int32' }],
    [k, [2], { shape: [2] }],
  );

const ofOne = (f: unknown): readonly (() => unknown)[] =>
  refused(
    f,
    [tensor([0, 1]), 1],
    ...noParameters.map(value => [k, value]),
    ...noOptions.map(options => [k, 1, options]),
    [k, tensor([1, 2]), { shape: [3] }],
    [k, tensor([1, 2]), { shape: [1] }],
  );

export const draws: BadInputs = {
  exponential: plain(exponential),
  gumbel: plain(gumbel),
  laplace: plain(laplace),
  gamma: ofOne(gamma),
  studentT: ofOne(studentT),
  beta: refused(
    beta,
    [0, 1, 1],
    ...noParameters.flatMap(value => [
      [k, value, 1],
      [k, 1, value],
    ]),
    ...noOptions.map(options => [k, 1, 1, options]),
    [k, tensor([1, 2]), tensor([1, 2, 3])],
  ),
  dirichlet: refused(
    dirichlet,
    [0, tensor([1, 2])],
    ...[...noParameters, 1, tensor(1)].map(value => [k, value]),
    ...noOptions.map(options => [k, tensor([1, 2]), options]),
    [k, tensor([1, 2]), { shape: [3] }],
  ),
};
