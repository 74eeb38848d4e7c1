/** Triangles and diagonals of matrices. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { AxisError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { checkInteger, checkShape, normalizeAxis, range, type Shape, showAval } from '../../shape.js';
import type { Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { DiagEmbedShape, DiagonalShape, DiagShape, MatricesShape, TraceShape } from '../../types/indexing.js';
import { checkDType } from '../common/checks.js';
import { permuteNode, reshapeNode, sliceAlong } from '../common/moving.js';
import { castNode, nodeFor } from '../common/operands.js';
import { checkOptions, withOptions } from '../common/options.js';
import type { DTypeOptions } from '../creation/creation.js';
import type { ReducedDType } from '../reduction/reducing.js';

/** The options of {@link tril}, {@link triu} and {@link diag}. */
export interface TriangleOptions<K extends number = number> {
  /** Which diagonal: 0, the default, is the main one, 1 the one above it, −1 the one below. */
  readonly k?: K;
}

/** The signatures of {@link tril} and {@link triu}, of which `Op` is the name. */
export interface Triangle<Op extends string> {
  <X extends Tensor>(
    x: X & Ok<MatricesShape<Op, X['shape']>>,
    options?: TriangleOptions,
  ): Tensor<X['shape'], X['dtype']>;
  (
    options?: TriangleOptions,
  ): <X extends Tensor>(x: X & Ok<MatricesShape<Op, X['shape']>>) => Tensor<X['shape'], X['dtype']>;
  <X extends Tensor>(x: X & Ok<MatricesShape<Op, X['shape']>>): Tensor<X['shape'], X['dtype']>;
}

/** Refuses tensors without rows and columns. */
const checkMatrix = (operation: string, x: Node): void => {
  if (x.shape.length >= 2) return;
  throw new ShapeError({
    operation,
    given: showAval(x),
    rule: 'a matrix has two axes or more',
    hint: 'Use expandDims, or diag to make a matrix of a vector.',
  });
};

/** A diagonal's number, whose sum with any index int32 can hold. */
const checkDiagonal = (operation: string, name: string, k: number): number =>
  checkInteger(operation, name, k, -(2 ** 30), 2 ** 30);

/** Whether the column's number compares with the row's plus k, over the last two axes of a shape. */
const compared = (shape: Shape, k: number, compare: 'le' | 'ge' | 'eq'): Node => {
  const [rows, columns] = [2, 1].map(back => b.iota({ shape, dtype: 'int32', axis: shape.length - back }));
  return b[compare](columns!, k === 0 ? rows! : b.add(rows!, full(b, rows!, k)));
};

const masked = (x: Node, k: number, compare: 'le' | 'ge' | 'eq'): Node =>
  b.select(compared(x.shape, k, compare), x, full(b, x, 0));

const triangle = <Op extends string>(operation: Op, compare: 'le' | 'ge'): Triangle<Op> =>
  withOptions(operation, ['k'], (x: Tensor, { k = 0 }: TriangleOptions) => {
    const node = nodeFor(operation, x);
    checkMatrix(operation, node);
    return wrap(masked(node, checkDiagonal(operation, 'k', k), compare));
  });

/**
 * The lower triangle of each matrix, zeros above: what is right of the k-th diagonal becomes 0 (false).
 *
 * @param x matrices in the last two axes
 * @returns shape and dtype of `x`
 * @throws ShapeError when there are fewer than two axes
 * @throws IndexError when k is no integer
 * @throws ArgumentError for an option of another name
 * @numpy np.tril
 * @pytorch torch.tril
 * @example
 * ```js
 * import { ones, tril } from 'tenfold';
 * tril(ones([2, 3])).toArray(); // => [[1, 0, 0], [1, 1, 0]]
 * tril(ones([2, 3]), { k: -1 }).toArray(); // => [[0, 0, 0], [1, 0, 0]]
 * ```
 */
export const tril: Triangle<'tril'> = triangle('tril', 'le');

/**
 * The upper triangle of each matrix, zeros below: what is left of the k-th diagonal becomes 0 (false).
 *
 * @param x matrices in the last two axes
 * @returns shape and dtype of `x`
 * @throws ShapeError when there are fewer than two axes
 * @throws IndexError when k is no integer
 * @throws ArgumentError for an option of another name
 * @numpy np.triu
 * @pytorch torch.triu
 * @example
 * ```js
 * import { ones, triu } from 'tenfold';
 * triu(ones([2, 3])).toArray(); // => [[1, 1, 1], [0, 1, 1]]
 * triu(ones([2, 3]), { k: 1 }).toArray(); // => [[0, 1, 1], [0, 0, 1]]
 * ```
 */
export const triu: Triangle<'triu'> = triangle('triu', 'ge');

/** The options of {@link diagonal} and {@link trace}. */
export interface DiagonalOptions<
  Offset extends number = number,
  Axis1 extends number = number,
  Axis2 extends number = number,
> {
  /** 0, the default, is the main diagonal; 1 the one above it, −1 the one below. */
  readonly offset?: Offset;
  /** The axis that counts rows, 0 if left out. */
  readonly axis1?: Axis1;
  /** The axis that counts columns, 1 if left out. */
  readonly axis2?: Axis2;
}

/** The k-th diagonal of the last two axes, as the last axis: every (columns + 1)-th element of what is flattened. */
const taken = (x: Node, k: number): Node => {
  const front = x.shape.slice(0, -2);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const length = Math.max(0, Math.min(rows + Math.min(k, 0), columns - Math.max(k, 0)));
  const flat = reshapeNode(x, [...front, rows * columns]);
  const start = length === 0 ? 0 : k < 0 ? -k * columns : k;
  const stop = length === 0 ? 0 : start + (length - 1) * (columns + 1) + 1;
  return sliceAlong(flat, front.length, start, stop, columns + 1);
};

const diagonalOf = (operation: string, node: Node, { offset = 0, axis1 = 0, axis2 = 1 }: DiagonalOptions): Node => {
  checkMatrix(operation, node);
  const axes = [axis1, axis2].map(axis => normalizeAxis(operation, axis, node.shape));
  if (axes[0] === axes[1]) {
    throw new AxisError({
      operation,
      given: `${showAval(node)}, axis1 ${axis1} and axis2 ${axis2}`,
      rule: 'rows and columns are two axes',
      hint: 'Name another axis; mind that negative ones count from the end.',
    });
  }
  const k = checkDiagonal(operation, 'the offset', offset);
  // The two in the order in which they stand, so that no axis needs to move where they are the last ones.
  const rest = range(node.shape.length).filter(axis => !axes.includes(axis));
  const order = [...rest, ...axes.toSorted((p, q) => p - q)];
  return taken(permuteNode(node, order), axes[0]! < axes[1]! ? k : -k);
};

const names = ['offset', 'axis1', 'axis2'];

/** The signatures of {@link diagonal}. */
export interface Diagonal {
  <X extends Tensor, const O extends number = 0, const A extends number = 0, const B extends number = 1>(
    x: X & Ok<DiagonalShape<X['shape'], O, A, B>>,
    options?: DiagonalOptions<O, A, B>,
  ): Tensor<Fit<DiagonalShape<X['shape'], O, A, B>>, X['dtype']>;
  <const O extends number = 0, const A extends number = 0, const B extends number = 1>(
    options?: DiagonalOptions<O, A, B>,
  ): <X extends Tensor>(
    x: X & Ok<DiagonalShape<X['shape'], O, A, B>>,
  ) => Tensor<Fit<DiagonalShape<X['shape'], O, A, B>>, X['dtype']>;
  <X extends Tensor>(x: X & Ok<DiagonalShape<X['shape']>>): Tensor<Fit<DiagonalShape<X['shape']>>, X['dtype']>;
}

/**
 * The diagonals of matrices, as the last axis: the elements whose index along `axis2` is that along `axis1` plus the
 * offset.
 *
 * @returns the axes of `x` without the two, then that of the diagonal, which is empty where the offset leads outside;
 * the dtype of `x`
 * @throws ShapeError when there are fewer than two axes
 * @throws AxisError when there is no such axis, or the two are one
 * @throws IndexError when the offset is no integer
 * @throws ArgumentError for an option of another name
 * @numpy np.diagonal
 * @pytorch torch.diagonal
 * @example
 * ```js
 * import { diagonal, tensor, zeros } from 'tenfold';
 * diagonal(tensor([[1, 2, 3], [4, 5, 6]])).toArray(); // => [1, 5]
 * diagonal(tensor([[1, 2, 3], [4, 5, 6]]), { offset: 1 }).toArray(); // => [2, 6]
 * diagonal(zeros([8, 3, 4]), { axis1: -2, axis2: -1 }).shape; // => [8, 3]
 * ```
 */
export const diagonal: Diagonal = withOptions('diagonal', names, (x: Tensor, options: DiagonalOptions) =>
  wrap(diagonalOf('diagonal', nodeFor('diagonal', x), options)),
);

/** The signatures of {@link trace}. */
export interface Trace {
  <X extends Tensor, const A extends number = 0, const B extends number = 1>(
    x: X & Ok<TraceShape<X['shape'], A, B>>,
    options?: DiagonalOptions<number, A, B>,
  ): Tensor<Fit<TraceShape<X['shape'], A, B>>, ReducedDType<'count', X['dtype']>>;
  <const A extends number = 0, const B extends number = 1>(
    options?: DiagonalOptions<number, A, B>,
  ): <X extends Tensor>(
    x: X & Ok<TraceShape<X['shape'], A, B>>,
  ) => Tensor<Fit<TraceShape<X['shape'], A, B>>, ReducedDType<'count', X['dtype']>>;
  <X extends Tensor>(
    x: X & Ok<TraceShape<X['shape']>>,
  ): Tensor<Fit<TraceShape<X['shape']>>, ReducedDType<'count', X['dtype']>>;
}

/**
 * The sum of a matrix's diagonal; of several matrices where there are more axes, as {@link diagonal} takes them.
 *
 * @returns the axes of `x` without the two; the dtype of `x`, bool and uint8 count in int32
 * @throws ShapeError when there are fewer than two axes
 * @throws AxisError when there is no such axis, or the two are one
 * @throws IndexError when the offset is no integer
 * @throws ArgumentError for an option of another name
 * @numpy np.trace
 * @pytorch torch.trace
 * @example
 * ```js
 * import { tensor, trace } from 'tenfold';
 * trace(tensor([[1, 2], [3, 4]])).item(); // => 5
 * trace(tensor([[1, 2], [3, 4]]), { offset: -1 }).item(); // => 3
 * ```
 */
export const trace: Trace = withOptions('trace', names, (x: Tensor, options: DiagonalOptions) => {
  const elements = diagonalOf('trace', nodeFor('trace', x), options);
  const counted = elements.dtype === 'bool' || elements.dtype === 'uint8' ? castNode(elements, 'int32') : elements;
  return wrap(b.sum(counted, { axes: [counted.shape.length - 1] }));
});

/** Matrices of zeros with the elements of the last axis on their k-th diagonal. */
const embedded = (x: Node, k: number): Node => {
  const [front, n] = [x.shape.slice(0, -1), x.shape[x.shape.length - 1]!];
  const size = n + Math.abs(k);
  const columns = b.broadcast(b.reshape(x, { shape: [...x.shape, 1] }), { shape: [...x.shape, size] });
  const [low, high] = [Math.max(0, -k), Math.max(0, k)].map(count => [...front.map(() => 0), count, 0]);
  const rows = k === 0 ? columns : b.pad(columns, { low: low!, high: high!, interior: low!.map(() => 0) });
  return masked(rows, k, 'eq');
};

/** The options of {@link diagEmbed}. */
export interface DiagEmbedOptions<Offset extends number = number> {
  /** 0, the default, is the main diagonal; 1 the one above it, −1 the one below. */
  readonly offset?: Offset;
}

/** The signatures of {@link diagEmbed}. */
export interface DiagEmbed {
  <X extends Tensor, const O extends number = 0>(
    x: X & Ok<DiagEmbedShape<X['shape'], O>>,
    options?: DiagEmbedOptions<O>,
  ): Tensor<Fit<DiagEmbedShape<X['shape'], O>>, X['dtype']>;
  <const O extends number = 0>(
    options?: DiagEmbedOptions<O>,
  ): <X extends Tensor>(
    x: X & Ok<DiagEmbedShape<X['shape'], O>>,
  ) => Tensor<Fit<DiagEmbedShape<X['shape'], O>>, X['dtype']>;
  <X extends Tensor>(x: X & Ok<DiagEmbedShape<X['shape']>>): Tensor<Fit<DiagEmbedShape<X['shape']>>, X['dtype']>;
}

/**
 * Square matrices with the elements of the last axis on their diagonal, and zeros (false) elsewhere.
 *
 * @returns an axis more; the last two have the length of the diagonal plus the size of the offset; the dtype of `x`
 * @throws ShapeError for a scalar
 * @throws IndexError when the offset is no integer
 * @throws ArgumentError for an option of another name
 * @numpy —
 * @pytorch torch.diag_embed
 * @example
 * ```js
 * import { diagEmbed, tensor } from 'tenfold';
 * diagEmbed(tensor([[1, 2], [3, 4]])).toArray(); // => [[[1, 0], [0, 2]], [[3, 0], [0, 4]]]
 * diagEmbed(tensor([1]), { offset: 1 }).toArray(); // => [[0, 1], [0, 0]]
 * ```
 */
export const diagEmbed: DiagEmbed = withOptions(
  'diagEmbed',
  ['offset'],
  (x: Tensor, { offset = 0 }: DiagEmbedOptions) => {
    const node = nodeFor('diagEmbed', x);
    if (node.shape.length > 0) return wrap(embedded(node, checkDiagonal('diagEmbed', 'the offset', offset)));
    throw new ShapeError({
      operation: 'diagEmbed',
      given: showAval(node),
      rule: 'a scalar is no diagonal',
      hint: 'Use reshape(x, [1, 1]).',
    });
  },
);

/** The signatures of {@link diag}. */
export interface Diag {
  <X extends Tensor, const K extends number = 0>(
    x: X & Ok<DiagShape<X['shape'], K>>,
    options?: TriangleOptions<K>,
  ): Tensor<Fit<DiagShape<X['shape'], K>>, X['dtype']>;
  <const K extends number = 0>(
    options?: TriangleOptions<K>,
  ): <X extends Tensor>(x: X & Ok<DiagShape<X['shape'], K>>) => Tensor<Fit<DiagShape<X['shape'], K>>, X['dtype']>;
  <X extends Tensor>(x: X & Ok<DiagShape<X['shape']>>): Tensor<Fit<DiagShape<X['shape']>>, X['dtype']>;
}

/**
 * A square matrix with a vector on its k-th diagonal; of a matrix, its k-th diagonal.
 *
 * @returns for a vector of n elements `[n + |k|, n + |k|]`, for a matrix a vector; the dtype of `x`
 * @throws ShapeError for anything but a vector or a matrix
 * @throws IndexError when k is no integer
 * @throws ArgumentError for an option of another name
 * @numpy np.diag
 * @pytorch torch.diag
 * @example
 * ```js
 * import { diag, tensor } from 'tenfold';
 * diag(tensor([1, 2])).toArray(); // => [[1, 0], [0, 2]]
 * diag(tensor([[1, 2], [3, 4]])).toArray(); // => [1, 4]
 * ```
 */
export const diag: Diag = withOptions('diag', ['k'], (x: Tensor, { k = 0 }: TriangleOptions) => {
  const node = nodeFor('diag', x);
  checkDiagonal('diag', 'k', k);
  const rank = node.shape.length;
  if (rank === 1 || rank === 2) return wrap(rank === 1 ? embedded(node, k) : taken(node, k));
  throw new ShapeError({
    operation: 'diag',
    given: showAval(node),
    rule: 'it takes a vector or a matrix',
    hint: 'Use diagEmbed or diagonal for more axes.',
  });
});

/**
 * The identity matrix: ones where row and column have the same number. `m` columns instead of `n` where given.
 *
 * @returns `[n, m]`; float32 unless `dtype` says otherwise
 * @throws ShapeError when a length is no non-negative integer
 * @throws DTypeError for an unknown dtype
 * @throws ArgumentError for an option of another name
 * @numpy np.eye
 * @pytorch torch.eye
 * @example
 * ```js
 * import { eye } from 'tenfold';
 * eye(2).toArray(); // => [[1, 0], [0, 1]]
 * eye(2, { m: 3 }).toArray(); // => [[1, 0, 0], [0, 1, 0]]
 * ```
 */
export const eye = <const N extends number, const M extends number = N, D extends DType = 'float32'>(
  n: N,
  options?: DTypeOptions<D> & { readonly m?: M },
): Tensor<readonly [N, NoInfer<M>], NoInfer<D>> => {
  checkOptions('eye', ['dtype', 'm'], options);
  const dtype = checkDType('eye', options?.dtype ?? 'float32');
  return wrap(castNode(compared(checkShape('eye', [n, options?.m ?? n]), 0, 'eq'), dtype));
};
