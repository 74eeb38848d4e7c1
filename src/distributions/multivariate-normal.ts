/** The normal distribution of vectors. */
import { normal as drawNormal } from '../random/draw.js';
import { b } from '../tensor/build.js';
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { sameDType } from '../tensor/ops/common/checks.js';
import { castNode, isWeakNumber } from '../tensor/ops/common/operands.js';
import { matmul } from '../tensor/ops/contraction/contraction.js';
import { add, mul, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { log } from '../tensor/ops/elementwise/elementary.js';
import { cholesky } from '../tensor/ops/linalg/cholesky.js';
import { identity, squaresOf } from '../tensor/ops/linalg/systems.js';
import { triangularSolve } from '../tensor/ops/linalg/triangular-solve.js';
import { diagonal, tril } from '../tensor/ops/movement/diagonals.js';
import { broadcastTo, expandDims, reshape, squeeze, swapAxes } from '../tensor/ops/movement/movement.js';
import { flip } from '../tensor/ops/movement/rolling.js';
import { sum } from '../tensor/ops/reduction/reduction.js';
import { full } from '../tensor/primitives/full.js';
import { broadcastShapes, showAval } from '../tensor/shape.js';
import { nodeOf, type Tensor, wrap } from '../tensor/tensor.js';
import { type Distribution, define, type Families, type Parameter, readParameters, recordOf } from './distribution.js';

/** How the elements of a vector spread and depend on each other: one of three matrices, `[…, k, k]`. */
export type Spread =
  | { readonly covariance: Tensor; readonly scaleTril?: never; readonly precision?: never }
  /** The Cholesky factor of the covariance: lower triangular, with a positive diagonal. */
  | { readonly scaleTril: Tensor; readonly covariance?: never; readonly precision?: never }
  /** The inverse of the covariance. */
  | { readonly precision: Tensor; readonly covariance?: never; readonly scaleTril?: never };

const name = 'multivariateNormal';
const forms = ['covariance', 'scaleTril', 'precision'] as const;
const along = { axis: -1 } as const;

const formOf = (given: Readonly<Record<string, unknown>>): (typeof forms)[number] => {
  const there = forms.filter(form => given[form] !== undefined);
  if (there.length === 1) return there[0]!;
  throw new ArgumentError({
    operation: name,
    given: there.length === 0 ? 'neither covariance nor scaleTril nor precision' : there.join(' and '),
    rule: 'it takes one of the three',
    hint: `Write ${name}({ loc: …, covariance: … }).`,
  });
};

/** The factor of the covariance: with its axes reversed the precision is Uᵀ U, so that it is Fᵀ F for U reversed, F. */
const inverseFactor = (precision: Tensor): Tensor => {
  const both = [-2, -1];
  const factor = flip(cholesky(flip(precision, both), { upper: true }), both);
  return triangularSolve(factor, wrap(identity(factor.shape, nodeOf(factor)))) as Tensor;
};

const factorOf: Readonly<Record<(typeof forms)[number], (matrix: Tensor) => Tensor>> = {
  covariance: matrix => cholesky(matrix) as Tensor,
  scaleTril: matrix => tril(matrix),
  precision: inverseFactor,
};

/** The mean and the factor of the covariance in one dtype, each with the leading axes it was given. */
const read = (given: unknown): Families['multivariateNormal'] => {
  const record = recordOf(name, given, ['loc', ...forms]);
  const form = formOf(record);
  const matrix = squaresOf(name, record[form]);
  const { loc } = readParameters(name, given, { loc: 'real' }, forms);
  const isNumber = typeof record.loc === 'number';
  // A number takes the dtype of the matrix.
  const center = isNumber ? full(b, { shape: [], dtype: matrix.dtype }, record.loc as number) : nodeOf(loc);
  const isWeak = isNumber || isWeakNumber(record.loc);
  const nodes = isWeak ? [castNode(center, matrix.dtype), matrix] : sameDType(name, [center, matrix]);
  const [mean, square] = nodes.map(node => wrap(node)) as [Tensor, Tensor];
  const k = matrix.shape.at(-1)!;
  if (k === 0 || (mean.shape.at(-1) ?? k) !== k) {
    throw new ShapeError({
      operation: name,
      given: `loc ${showAval(mean)} and ${form} ${showAval(square)}`,
      rule: `loc has an element for each of at least one row of ${form} along its last axis`,
      hint: 'Check which axis of loc is that of a vector.',
    });
  }
  return { loc: mean, scaleTril: factorOf[form](square) };
};

/** Vectors `[…, k]` through a function of columns `[…, k, n]` that broadcasts with the leading axes of factors. */
const ofColumns = (factor: Tensor, x: Tensor, f: (columns: Tensor) => Tensor): Tensor => {
  if (factor.shape.length > 2) return squeeze(f(expandDims(x, -1) as Tensor), -1) as Tensor;
  // One factor for all: the vectors are the columns of one matrix.
  const k = x.shape.at(-1)!;
  const columns = swapAxes(reshape(x, [x.shape.slice(0, -1).reduce((n, m) => n * m, 1), k]), 0, 1) as Tensor;
  return reshape(swapAxes(f(columns), 0, 1) as Tensor, x.shape) as Tensor;
};

const squares = (x: Tensor): Tensor => sum(square(x) as Tensor, along) as Tensor;

/** Half the logarithm of the determinant of the covariance. */
const halfLogDet = (factor: Tensor): Tensor =>
  sum(log(diagonal(factor, { axis1: -2, axis2: -1 })) as Tensor, along) as Tensor;

/** `factor⁻¹ x` for vectors x. */
const whitened = (factor: Tensor, x: Tensor): Tensor =>
  ofColumns(factor, x, columns => triangularSolve(factor, columns) as Tensor);

/**
 * The normal distribution of vectors along the last axis with mean `loc`.
 *
 * Where a covariance or precision is not symmetric positive definite, of which the lower triangle is read, everything
 * that depends on it is NaN; of `scaleTril` the lower triangle is read as well.
 *
 * @param parameters `loc`, a number or `[…, k]`, and one of `covariance`, `scaleTril` (its Cholesky factor: lower
 *   triangular with a positive diagonal) and `precision` (its inverse), `[…, k, k]`; leading axes are the batch
 * @throws ArgumentError when it is none or several of the three, another name is there, or the matrix is no tensor
 * @throws ShapeError when the matrices are not square, loc has another length, or the leading axes do not broadcast
 * @throws DTypeError for uint8
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { logProb, multivariateNormal, variance } from 'tenfold/distributions';
 * const d = multivariateNormal({ loc: tensor([1, 0]), covariance: tensor([[4, 2], [2, 10]]) });
 * variance(d).toArray(); // => [4, 10]
 * logProb(d, zeros([3, 2])).shape; // => [3]
 * ```
 */
export const multivariateNormal = (
  parameters: { readonly loc: Parameter } & Spread,
): Distribution<'multivariateNormal'> => {
  const { loc, scaleTril: factor } = read(parameters);
  const k = factor.shape.at(-1)!;
  const batch = broadcastShapes(name, loc.shape.slice(0, -1), factor.shape.slice(0, -2));
  const mean = broadcastTo(loc, [...batch, k]) as Tensor;
  return define(
    name,
    { loc: mean, scaleTril: broadcastTo(factor, [...batch, k, k]) as Tensor },
    {
      logProb: x => {
        const constant = add(halfLogDet(factor), 0.5 * k * Math.log(2 * Math.PI)) as Tensor;
        return sub(mul(squares(whitened(factor, sub(x, mean) as Tensor)), -0.5), constant) as Tensor;
      },
      mean: () => mean,
      variance: () => broadcastTo(squares(factor), [...batch, k]) as Tensor,
      entropy: () => broadcastTo(add(halfLogDet(factor), 0.5 * k * (1 + Math.log(2 * Math.PI))), batch) as Tensor,
      sample: (key, shape) => {
        const z = drawNormal(key, shape, { dtype: factor.dtype as 'float32' }) as Tensor;
        return add(
          mean,
          ofColumns(factor, z, columns => matmul(factor, columns) as Tensor),
        ) as Tensor;
      },
    },
    { eventRank: 1 },
  );
};

/** The divergence of one normal distribution of vectors from another. */
export const divergenceOfVectors = (p: Families['multivariateNormal'], q: Families['multivariateNormal']): Tensor => {
  const k = p.loc.shape.at(-1)!;
  const widths = sum(square(triangularSolve(q.scaleTril, p.scaleTril)) as Tensor, { axis: [-2, -1] }) as Tensor;
  const distance = squares(whitened(q.scaleTril, sub(q.loc, p.loc) as Tensor));
  const spreads = sub(halfLogDet(q.scaleTril), halfLogDet(p.scaleTril)) as Tensor;
  return add(mul(sub(add(widths, distance), k), 0.5), spreads) as Tensor;
};
