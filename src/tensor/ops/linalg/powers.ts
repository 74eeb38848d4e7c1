/** Powers of matrices and their exponential. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { isFloat } from '../../dtype.js';
import { DTypeError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full, scalar } from '../../primitives/full.js';
import { results } from '../../primitives/results.js';
import { multiplied } from '../../primitives/triangular.js';
import { checkInteger, range, type Shape, showAval, sizeOf } from '../../shape.js';
import type { Arithmetic, Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Square } from '../../types/products.js';
import { closed } from '../common/derived.js';
import { times } from '../common/numbers.js';
import { castNode, checkSetting, dual, unaryOperand } from '../common/operands.js';
import { inverted, solved } from './factored.js';
import { along } from './rows.js';
import { identity, type SquareFunction, squaresOf } from './systems.js';

/** The signatures of {@link matrixPower}. */
export interface MatrixPower {
  <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<Square<'matrixPower', S>>,
    n: number,
  ): Tensor<Fit<Square<'matrixPower', S>>, Arithmetic<D>>;
  (
    n: number,
  ): <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<Square<'matrixPower', S>>,
  ) => Tensor<Fit<Square<'matrixPower', S>>, Arithmetic<D>>;
}

/** The power by repeated squaring, n ≥ 1. */
const power = (x: Node, n: number): Node => {
  let result: Node | null = null;
  let square = x;
  for (let left = n; ; square = multiplied(b, square, square)) {
    if (left % 2 === 1) result = result === null ? square : multiplied(b, result, square);
    left = Math.floor(left / 2);
    if (left === 0) return result!;
  }
};

/**
 * A square matrix multiplied by itself: `a · a · … · a`, n times, by repeated squaring. The power 0 is the identity; negative
 * ones are those of the inverse, which for a singular matrix holds ∞ or NaN.
 *
 * @param a `[…, k, k]`
 * @param n an integer
 * @returns `[…, k, k]`; the dtype of `a`, bools counting as int32
 * @throws ShapeError when the last two axes are not of one length
 * @throws IndexError when n is no integer
 * @throws DTypeError for a negative power of integers, and for uint8
 * @throws ArgumentError when `a` is no tensor
 * @numpy np.linalg.matrix_power
 * @pytorch torch.linalg.matrix_power
 * @example
 * ```js
 * import { matrixPower, tensor } from 'tenfold';
 * import { pipe } from 'fp-ts/lib/function.js';
 * matrixPower(tensor([[1, 1], [1, 0]]), 10).toArray(); // => [[89, 55], [55, 34]]
 * pipe(tensor([[2, 0], [0, 4]]), matrixPower(-1)).toArray(); // => [[0.5, 0], [0, 0.25]]
 * ```
 */
export const matrixPower: MatrixPower = dual(2, (a: Tensor, n: number) => {
  const given = unaryOperand('matrixPower', a, { boolAsInt: true });
  const [rows, columns] = [given.shape.at(-2), given.shape.at(-1)];
  if (rows === undefined || rows !== columns) {
    throw new ShapeError({
      operation: 'matrixPower',
      given: showAval(given),
      rule: 'the matrices in the last two axes are square',
      hint: 'Only square matrices can be multiplied by themselves; for powers of elements take pow.',
    });
  }
  checkSetting('matrixPower', 'the exponent', n);
  checkInteger('matrixPower', 'the exponent', n, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (n === 0) return wrap(identity(given.shape, given));
  if (n > 0) return wrap(power(given, n));
  if (!isFloat(given.dtype)) {
    throw new DTypeError({
      operation: 'matrixPower',
      given: `${showAval(given)} and the exponent ${n}`,
      rule: 'the inverse of a matrix of integers is none',
      hint: "Cast it first: cast(a, 'float32').",
    });
  }
  return wrap(power(inverted(given).x, -n));
});

/** Numerators of Padé approximants of the exponential, and the norms up to which they are exact to rounding. */
const approximants = {
  // Order 13; the table 2.3 of the paper.
  float64: {
    bound: 5.371920351148152,
    coefficients: [
      64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
      670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
    ],
  },
  float32: { bound: 3.92572478313866, coefficients: [17297280, 8648640, 1995840, 277200, 25200, 1512, 56, 1] },
} as const;

/** As many as a float32 needs and uint32 has bits. */
const mostSquarings = 31;

/** Odd and even terms of a polynomial of matrices, of order 7 or 13. */
const terms = (x: Node, coefficients: readonly number[]): readonly [odd: Node, even: Node] => {
  const second = multiplied(b, x, x);
  const fourth = multiplied(b, second, second);
  const sixth = multiplied(b, fourth, second);
  const powers = [identity(x.shape, x), second, fourth, sixth];
  const sum = (from: number, first: number): Node | null =>
    powers
      .slice(first)
      .map((y, i) => ({ y, factor: coefficients[from + 2 * (first + i)] }))
      .filter(({ factor }) => factor !== undefined)
      .map(({ y, factor }) => times(y, factor! / coefficients[0]!))
      .reduce<Node | null>((total, y) => (total === null ? y : b.add(total, y)), null);
  const half = (from: number): Node => {
    const high = sum(from + 6, 1);
    const low = sum(from, 0)!;
    return high === null ? low : b.add(multiplied(b, sixth, high), low);
  };
  return [multiplied(b, x, half(1)), half(0)];
};

/** Squares each matrix as often as `counts` says. Once all are done, the steps that are left compute nothing. */
const squared = (x: Node, counts: Node): Node => {
  const scalarOf = { shape: [], dtype: 'int32' } as const;
  const batch = range(counts.shape.length);
  const square = closed('expm', [x, counts, scalarOf], ([y, n, step]) => {
    const isOpen = b.lt(along(step!, n!.shape, []), n!);
    return [b.select(along(isOpen, y!.shape, batch), multiplied(b, y!, y!), y!)];
  });
  const stay = closed('expm', [x, counts, scalarOf], ([y]) => [y!]);
  const body = closed('expm', [counts, scalarOf, x, scalarOf], ([n, most, y, step]) => {
    const isOpen = b.cast(b.lt(step!, most!), { dtype: 'int32' });
    return [...results(b, b.cond([isOpen, y!, n!, step!], { branches: [stay, square] }))];
  });
  const most = batch.length === 0 ? counts : b.reduceMax(counts, { axes: batch });
  const steps = b.iota({ shape: [mostSquarings], dtype: 'int32', axis: 0 });
  const fold = b.fold([counts, most, x, steps], {
    body,
    length: mostSquarings,
    captures: 2,
    carries: 1,
    reverse: false,
  });
  return results(b, fold)[0]!;
};

/** The exponential of matrices of floats. */
const exponential = (x: Node, { bound, coefficients }: (typeof approximants)['float32' | 'float64']): Node => {
  const batch = range(x.shape.length - 2);
  const front = x.shape.slice(0, -2);
  const columns = b.sum(b.abs(b.stopGradient(x)), { axes: [batch.length] });
  const norms = b.reduceMax(columns, { axes: [batch.length] });
  // How many of bound · 2⁰, bound · 2¹, … a norm is above: so many halvings bring it to the bound.
  const table = [...front, mostSquarings];
  const one = full(b, { shape: table, dtype: 'uint32' }, 1);
  const doublings = b.shiftLeft(one, b.iota({ shape: table, dtype: 'uint32', axis: batch.length }));
  const limits = times(castNode(doublings, x.dtype), bound);
  const isAbove = castNode(b.gt(along(norms, table, batch), limits), 'int32');
  const counts = b.sum(isAbove, { axes: [batch.length] });
  const scales = castNode(
    b.shiftLeft(full(b, { shape: front, dtype: 'uint32' }, 1), castNode(counts, 'uint32')),
    x.dtype,
  );
  const [odd, even] = terms(b.div(x, along(scales, x.shape, batch)), coefficients);
  const value = squared(solved(b.sub(even, odd), b.add(even, odd), front).x, counts);
  // Not ≤ rather than >, for NaN.
  const isWithin = b.le(norms, full(b, norms, bound * 2 ** mostSquarings));
  const none = b.broadcast(scalar(b, Number.NaN, x.dtype), { shape: x.shape });
  return b.select(along(isWithin, x.shape, batch), value, none);
};

/**
 * The exponential of square matrices: `1 + a + a²/2! + a³/3! + …`, by scaling and squaring: each matrix is halved until a
 * Padé approximant is exact up to rounding, of order 13 in float64 and 7 in float32, and the result squared as often
 * (Higham, "The scaling and squaring method for the matrix exponential revisited", 2005).
 *
 * A matrix whose 1-norm is above 10¹⁰ in float64, 8 · 10⁹ in float32, or which holds NaN, gives NaN, and only that one.
 *
 * @param a `[…, n, n]`
 * @returns `[…, n, n]`; integers and bool give float32
 * @throws ShapeError when the last two axes are not of one length
 * @throws DTypeError for uint8
 * @throws ArgumentError when `a` is no tensor
 * @numpy scipy.linalg.expm
 * @pytorch torch.linalg.matrix_exp
 * @example
 * ```js
 * import { expm, tensor } from 'tenfold';
 * expm(tensor([[0, 2], [0, 0]])).toArray(); // => [[1, 2], [0, 1]]
 * ```
 */
export const expm: SquareFunction<'expm'> = a => {
  const x = squaresOf('expm', a);
  return wrap(sizeOf(x.shape) === 0 ? x : exponential(x, approximants[x.dtype as 'float32' | 'float64'])) as never;
};
