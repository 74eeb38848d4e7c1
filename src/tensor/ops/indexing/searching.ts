/** Positions of elements, and how often there are which. */
import { b } from '../../build.js';
import { type DType, type IndexDType, isFloat } from '../../dtype.js';
import { ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { checkArgument, checkInteger, range, type Shape, sameShape, showAval, sizeOf, stridesOf } from '../../shape.js';
import type { Arithmetic } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import { checkHolds, kindOf } from '../common/checks.js';
import { castNode, checkSetting, nodeFor, unaryOperand } from '../common/operands.js';
import { checkOptions, dualBeforeOptions, withOptions } from '../common/options.js';
import { tensor } from '../creation/creation.js';
import { cut, type Part, uncut } from '../movement/parts.js';
import { compared, countTrue, gatherAlong, known, positions, truePlaces } from './positions.js';

/** The options of {@link searchsorted}. */
export interface SearchsortedOptions {
  /** Whether a value comes before (the default) or behind those equal to it. */
  readonly side?: 'left' | 'right';
}

/** The signatures of {@link searchsorted}. */
export interface Searchsorted {
  <S extends Shape>(sorted: Tensor, values: Tensor<S>, options?: SearchsortedOptions): Tensor<S, 'int32'>;
  (sorted: Tensor, values: number, options?: SearchsortedOptions): Tensor<readonly [], 'int32'>;
  <S extends Shape>(values: Tensor<S>, options?: SearchsortedOptions): (sorted: Tensor) => Tensor<S, 'int32'>;
  (values: number, options?: SearchsortedOptions): (sorted: Tensor) => Tensor<readonly [], 'int32'>;
}

/**
 * Where values belong in a sorted sequence: how many of its elements come before each, by binary search. NaN comes
 * behind all numbers, as {@link sort} has it.
 *
 * @param sorted a vector in ascending order; or with more axes, rows of which each is searched for its own values
 * @param values a number or a tensor; of any shape for a vector, else with the same lengths but for the last axis
 * @returns the shape of the values, int32: 0 to the length of the sequence
 * @throws ShapeError for a scalar, and for rows that the values do not have
 * @throws DTypeError for dtypes that do not meet in one
 * @throws ArgumentError for an unknown option or side
 * @numpy np.searchsorted
 * @pytorch torch.searchsorted
 * @example
 * ```js
 * import { searchsorted, tensor } from 'tenfold';
 * const edges = tensor([1, 3, 3, 5]);
 * searchsorted(edges, tensor([0, 3, 9])).toArray(); // => [0, 1, 4]
 * searchsorted(edges, 3, { side: 'right' }).item(); // => 3
 * ```
 */
export const searchsorted: Searchsorted = dualBeforeOptions(
  2,
  (sorted: Tensor, values: unknown, options: SearchsortedOptions = {}) => {
    checkOptions('searchsorted', ['side'], options);
    const { side = 'left' } = options;
    checkArgument(
      side === 'left' || side === 'right',
      'searchsorted',
      `${kindOf(side)} as side`,
      "side is 'left' or 'right'",
      "With 'left' a value comes before those equal to it.",
    );
    const [rows, sought] = compared('searchsorted', sorted, values);
    const last = rows.shape.length - 1;
    const vector = last === 0;
    if (last < 0 || !(vector || sameShape(rows.shape.slice(0, last), sought.shape.slice(0, -1)))) {
      throw new ShapeError({
        operation: 'searchsorted',
        given: `${showAval(rows)} and values ${showAval(sought)}`,
        rule: 'a vector is searched for any values, rows for a row of values each',
        hint: 'The lengths must agree, but for the last axis.',
      });
    }
    const length = rows.shape[last]!;
    const isMissing = (x: Node): Node => b.ne(x, x);
    const comesBefore = (x: Node): Node => {
      const less = side === 'left' ? b.lt(x, sought) : b.le(x, sought);
      if (!isFloat(x.dtype)) return less;
      return b.or(less, side === 'left' ? b.and(isMissing(sought), b.not(isMissing(x))) : isMissing(sought));
    };
    let found = full(b, { shape: sought.shape, dtype: 'int32' }, 0);
    for (let step = length === 0 ? 0 : 2 ** (31 - Math.clz32(length)); step >= 1; step /= 2) {
      const next = b.add(found, full(b, found, step));
      const place = b.sub(next, full(b, next, 1));
      const there = vector ? b.gather(rows, place, { axis: 0 }) : gatherAlong(rows, place, last);
      const further = b.and(b.le(next, full(b, next, length)), comesBefore(there));
      found = b.select(further, next, found);
    }
    return wrap(found);
  },
);

/** The options of {@link nonzero} and {@link unique}: a length that does not depend on the values. */
export interface SizeOptions<F, N extends number = number> {
  /** How many entries the result has, whatever there are; required inside of traced functions. */
  readonly size?: N;
  /** What stands in the entries that are not needed. */
  readonly fill?: F;
}

const sizeHint = 'Give the result a length: { size: … }.';

const checkSize = (operation: string, name: string, size: number): number => {
  checkSetting(operation, name, size);
  return checkInteger(operation, name, size, 0, 2 ** 31 - 1);
};

/** The signatures of {@link nonzero}. */
export interface Nonzero {
  <S extends Shape, const N extends number = number>(
    x: Tensor<S>,
    options?: SizeOptions<number, N>,
  ): Tensor<readonly [N, S['length']], 'int32'>;
  <const N extends number = number>(
    options?: SizeOptions<number, N>,
  ): <S extends Shape>(x: Tensor<S>) => Tensor<readonly [N, S['length']], 'int32'>;
}

/**
 * The positions of the elements other than 0 (NaN is), one row for each, in row-major order.
 *
 * How many there are is known once `x` is. With `size` the result has as many rows: the first positions, and behind the
 * last of them rows of `fill`, −1 if left out.
 *
 * @returns int32, a column for each axis of `x`
 * @throws TraceError inside a traced function, unless there is a size
 * @throws IndexError for a size that is no non-negative integer
 * @throws DTypeError for a fill that is no int32
 * @throws ArgumentError for an unknown option
 * @numpy np.argwhere
 * @pytorch torch.nonzero
 * @example
 * ```js
 * import { nonzero, tensor } from 'tenfold';
 * const x = tensor([[0, 5], [7, 0]]);
 * nonzero(x).toArray(); // => [[0, 1], [1, 0]]
 * nonzero(x, { size: 3 }).toArray(); // => [[0, 1], [1, 0], [-1, -1]]
 * ```
 */
export const nonzero: Nonzero = withOptions('nonzero', ['size', 'fill'], (x: Tensor, options: SizeOptions<number>) => {
  const node = nodeFor('nonzero', x);
  const { shape } = node;
  const mask = castNode(node, 'bool');
  const { fill = -1 } = options;
  checkFill('nonzero', 'int32', fill);
  const size =
    options.size === undefined
      ? countTrue('nonzero', mask, showAval(node), sizeHint)
      : checkSize('nonzero', 'the size', options.size);
  const rank = shape.length;
  const column = b.reshape(truePlaces(mask, size), { shape: [size, 1] });
  const flat = b.broadcast(column, { shape: [size, rank] });
  // Division is for floats alone; float64 holds every quotient of such integers well enough to be rounded down.
  const strides = stridesOf(shape);
  const quotient = b.div(castNode(flat, 'float64'), along(strides, 'float64', size));
  const place = b.rem(castNode(b.floor(quotient), 'int32'), along(shape, 'int32', size));
  return wrap(b.select(b.ge(flat, full(b, flat, 0)), place, full(b, flat, fill)));
});

/** A row of numbers, at least 1 each, as often as this. */
const along = (row: readonly number[], dtype: DType, times: number): Node =>
  b.broadcast(
    nodeFor(
      'nonzero',
      tensor(
        row.map(n => Math.max(1, n)),
        { dtype },
      ),
    ),
    { shape: [times, row.length] },
  );

const checkFill = (operation: string, dtype: DType, fill: unknown): void => {
  checkSetting(operation, 'fill', fill);
  checkArgument(
    typeof fill === 'number' || typeof fill === 'boolean',
    operation,
    `${kindOf(fill)} as fill`,
    'fill is a number, or a boolean for bool',
    'It stands in the entries that are not needed.',
  );
  checkHolds(operation, dtype, Number(fill));
};

/** What {@link unique} gives. */
export interface Unique<S extends Shape, D extends DType, N extends number = number> {
  /** The different elements in ascending order. */
  readonly values: Tensor<readonly [N], D>;
  /** For each element of `x` the position of its value. */
  readonly inverse: Tensor<S, 'int32'>;
  /** How often each value comes; 0 for entries that are not needed. */
  readonly counts: Tensor<readonly [N], 'int32'>;
}

/** The signatures of {@link unique}. */
export interface MakeUnique {
  <S extends Shape, D extends DType, const N extends number = number>(
    x: Tensor<S, D>,
    options?: SizeOptions<number | boolean, N>,
  ): Unique<S, D, N>;
  <const N extends number = number>(
    options?: SizeOptions<number | boolean, N>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Unique<S, D, N>;
}

/**
 * The different elements of a tensor in ascending order, where each element of it is among them, and how often each comes.
 * All NaN are one value, the last.
 *
 * How many there are is known once `x` is. With `size` the result has as many entries: the first ones, and behind the last
 * of them `fill`, 0 if left out, with a count of 0. The derivative goes to the first element of each value.
 *
 * @returns `values` of the dtype of `x`, `inverse` of the shape of `x` and int32, `counts` of int32
 * @throws TraceError inside a traced function, unless there is a size
 * @throws IndexError for a size that is no non-negative integer
 * @throws DTypeError for a fill that the dtype does not hold
 * @throws ArgumentError for an unknown option
 * @numpy np.unique
 * @pytorch torch.unique
 * @example
 * ```js
 * import { tensor, unique } from 'tenfold';
 * const { values, inverse, counts } = unique(tensor([3, 1, 3, 2]));
 * values.toArray(); // => [1, 2, 3]
 * inverse.toArray(); // => [2, 0, 2, 1]
 * counts.toArray(); // => [1, 1, 2]
 * ```
 */
export const unique: MakeUnique = withOptions(
  'unique',
  ['size', 'fill'],
  (x: Tensor, options: SizeOptions<number | boolean>) => {
    const node = nodeFor('unique', x);
    const { fill = 0 } = options;
    checkFill('unique', node.dtype, fill);
    const n = sizeOf(node.shape);
    const flat = b.reshape(node, { shape: [n] });
    const order = b.argsort(flat, { axis: 0 });
    const sorted = b.gather(flat, order, { axis: 0 });
    const neighbours = (from: number): Part[] => [{ from, count: Math.max(0, n - 1), step: 1 }];
    const [before, here] = [cut(sorted, neighbours(0)), cut(sorted, neighbours(1))];
    const same = isFloat(node.dtype)
      ? b.or(b.eq(before, here), b.and(b.ne(before, before), b.ne(here, here)))
      : b.eq(before, here);
    const isFirst = b.not(uncut(same, neighbours(1), [n]));
    const size =
      options.size === undefined
        ? countTrue('unique', isFirst, showAval(node), sizeHint)
        : checkSize('unique', 'the size', options.size);
    const upTo = b.cumsum(castNode(isFirst, 'int32'), { axis: 0, reverse: false });
    const group = b.sub(upTo, full(b, upTo, 1));
    const places = truePlaces(isFirst, size);
    const values = b.gather(sorted, places, { axis: 0 });
    const isNeeded = b.ge(places, full(b, places, 0));
    const inverse = b.reshape(b.scatterAdd(group, order, { axis: 0, length: n }), { shape: node.shape });
    return {
      values: wrap(b.select(isNeeded, values, full(b, values, Number(fill)))),
      inverse: wrap(inverse),
      counts: wrap(b.scatterAdd(full(b, group, 1), group, { axis: 0, length: size })),
    };
  },
);

/** The options of {@link bincount}. */
export interface BincountOptions<E extends DType, N extends number = number> {
  /** How many counts there are; required inside of traced functions. */
  readonly length?: N;
  /** What each element counts instead of 1; of the shape of `x`. */
  readonly weights?: Tensor<Shape, E>;
}

/** The signatures of {@link bincount}. */
export interface Bincount {
  <E extends DType = 'int32', const N extends number = number>(
    x: Tensor<Shape, IndexDType>,
    options?: BincountOptions<E, N>,
  ): Tensor<readonly [N], Arithmetic<E>>;
  <E extends DType = 'int32', const N extends number = number>(
    options?: BincountOptions<E, N>,
  ): (x: Tensor<Shape, IndexDType>) => Tensor<readonly [N], Arithmetic<E>>;
}

/**
 * How often each of the integers 0, 1, 2, … comes among the elements. Negative ones, and those for which there is no
 * count, are passed over.
 *
 * @returns as many counts as `length` says, else up to that of the largest element; int32, or the dtype of the weights
 * @throws TraceError inside a traced function, unless there is a length
 * @throws ShapeError for weights of another shape
 * @throws IndexError for a length that is no non-negative integer
 * @throws DTypeError when `x` is not of int32, uint32 or uint8, and for weights of uint8
 * @throws ArgumentError for an unknown option
 * @numpy np.bincount
 * @pytorch torch.bincount
 * @example
 * ```js
 * import { bincount, tensor } from 'tenfold';
 * const x = tensor([1, 3, 1], { dtype: 'int32' });
 * bincount(x).toArray(); // => [0, 2, 0, 1]
 * bincount(x, { length: 2, weights: tensor([0.5, 1, 2]) }).toArray(); // => [0, 2.5]
 * ```
 */
export const bincount: Bincount = withOptions(
  'bincount',
  ['length', 'weights'],
  (x: Tensor, options: BincountOptions<DType>) => {
    const node = positions('bincount', x);
    const axes = range(node.shape.length);
    const weights =
      options.weights === undefined ? full(b, node, 1) : unaryOperand('bincount', options.weights, { boolAsInt: true });
    if (!sameShape(weights.shape, node.shape)) {
      throw new ShapeError({
        operation: 'bincount',
        given: `${showAval(node)} and weights ${showAval(weights)}`,
        rule: 'each element has one weight',
        hint: 'Broadcast the weights first: broadcastTo(weights, x.shape).',
      });
    }
    const length =
      options.length === undefined
        ? sizeOf(node.shape) === 0
          ? 0
          : 1 + Math.max(-1, known('bincount', showAval(node), b.reduceMax(node, { axes }), lengthHint)[0]!)
        : checkSize('bincount', 'the length', options.length);
    const flat = [sizeOf(node.shape)];
    const updates = b.reshape(weights, { shape: flat });
    return wrap(b.scatterAdd(updates, b.reshape(node, { shape: flat }), { axis: 0, length }));
  },
);

const lengthHint = 'Say how many counts there are: { length: … }.';
