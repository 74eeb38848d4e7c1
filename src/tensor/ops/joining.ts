/** Joining tensors, which brings them to one dtype; cutting one into parts; repeating it. */
import { b } from '../build.js';
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { checkInteger, normalizeAxis, type Shape, sameShape, showAval } from '../shape.js';
import type { Promote } from '../shape-types.js';
import { isTensor, type Tensor, wrap } from '../tensor.js';
import { checkList, newAxis, sameDType, showAll } from './checks.js';
import { reshape, type SameRank } from './movement.js';
import { dual, nodeFor } from './operands.js';

/** What functions that work along one axis take last. */
export interface AxisOptions {
  /** Negative axes count from the end. */
  readonly axis?: number;
}

/** The dtype several tensors meet in. */
export type PromoteAll<T extends readonly Tensor[]> = T extends readonly [
  infer First extends Tensor,
  ...infer Rest extends readonly Tensor[],
]
  ? Rest extends readonly []
    ? First['dtype']
    : Promote<First['dtype'], PromoteAll<Rest>>
  : T[number]['dtype'];

/** The tensors of a list, at least one. */
const listed = (operation: string, xs: unknown): Node[] => {
  if (Array.isArray(xs) && xs.length > 0) return xs.map(x => nodeFor(operation, x));
  throw new ArgumentError({
    operation,
    given: Array.isArray(xs) ? 'an empty list' : isTensor(xs) ? `${showAval(xs)} and no list` : 'no list',
    rule: 'it joins a list of one or more tensors',
    hint: `Write ${operation}([x, y]).`,
  });
};

const joined = (nodes: readonly Node[], axis: number): Node =>
  nodes.length === 1 ? nodes[0]! : b.concat(nodes, { axis });

/**
 * Tensors one after the other along an axis that they have, the first one if none is named.
 *
 * @returns that axis as long as theirs together; the dtype that all can be cast to
 * @throws ShapeError unless the shapes agree on all other axes
 * @throws AxisError when there is no such axis
 * @throws DTypeError for dtypes that do not meet in one
 * @throws ArgumentError for an empty list
 * @example
 * ```js
 * import { concat, tensor } from 'tenfold';
 * concat([tensor([1, 2]), tensor([3])]).toArray(); // => [1, 2, 3]
 * concat([tensor([[1], [2]]), tensor([[3], [4]])], { axis: 1 }).toArray(); // => [[1, 3], [2, 4]]
 * ```
 */
export const concat = <const T extends readonly Tensor[]>(
  xs: T,
  { axis = 0 }: AxisOptions = {},
): Tensor<SameRank<T[number]['shape']>, PromoteAll<T>> => {
  const nodes = listed('concat', xs);
  const { shape } = nodes[0]!;
  const at = normalizeAxis('concat', axis, shape);
  if (nodes.some(x => x.shape.length !== shape.length || x.shape.some((n, i) => i !== at && n !== shape[i]))) {
    throw new ShapeError({
      operation: 'concat',
      given: showAll(nodes),
      rule: `apart from axis ${at} the shapes must be equal`,
      hint: 'Name another axis, or use stack to join along a new one.',
    });
  }
  return wrap(joined(sameDType('concat', nodes), at));
};

/** The shape of tensors joined along a new axis. */
export type Stacked<T extends readonly Tensor[], Axis extends number> = number extends Axis
  ? SameRank<readonly [number, ...T[number]['shape']]>
  : Axis extends 0
    ? readonly [T['length'], ...T[number]['shape']]
    : SameRank<readonly [number, ...T[number]['shape']]>;

/**
 * Tensors of one shape joined along a new axis, in front of the others if none is named.
 *
 * @returns one axis more, as long as the list; the dtype that all can be cast to
 * @throws ShapeError unless the shapes are equal
 * @throws AxisError when the result has no such axis
 * @throws DTypeError for dtypes that do not meet in one
 * @throws ArgumentError for an empty list
 * @example
 * ```js
 * import { stack, tensor } from 'tenfold';
 * stack([tensor([1, 2]), tensor([3, 4])]).toArray(); // => [[1, 2], [3, 4]]
 * stack([tensor([1, 2]), tensor([3, 4])], { axis: 1 }).toArray(); // => [[1, 3], [2, 4]]
 * ```
 */
export const stack = <const T extends readonly Tensor[], const Axis extends number = 0>(
  xs: T,
  { axis }: { readonly axis?: Axis } = {},
): Tensor<Stacked<T, Axis>, PromoteAll<T>> => {
  const nodes = listed('stack', xs);
  const { shape } = nodes[0]!;
  if (nodes.some(x => !sameShape(x.shape, shape))) {
    throw new ShapeError({
      operation: 'stack',
      given: showAll(nodes),
      rule: 'the shapes must be equal',
      hint: 'Use concat to join along an axis that they have, or broadcastTo first.',
    });
  }
  const at = newAxis('stack', axis ?? 0, shape);
  const raised = sameDType('stack', nodes).map(x => b.reshape(x, { shape: shape.toSpliced(at, 0, 1) }));
  return wrap(joined(raised, at));
};

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

type TupleOf<T, N extends number, Acc extends readonly T[] = readonly []> = Acc['length'] extends N
  ? Acc
  : TupleOf<T, N, readonly [...Acc, T]>;

/** As many parts as there are sections or sizes, where the compiler can count them. */
export type Parts<P extends number | readonly number[], Part> = P extends readonly number[]
  ? { readonly [I in keyof P]: Part }
  : P extends number
    ? `${P}` extends `${Digit}` | `${Digit}${Digit}`
      ? TupleOf<Part, P>
      : readonly Part[]
    : readonly Part[];

/** The signatures of {@link split}. */
export interface Split {
  <S extends Shape, D extends DType, const P extends number | readonly number[]>(
    x: Tensor<S, D>,
    parts: P,
    options?: AxisOptions,
  ): Parts<P, Tensor<SameRank<S>, D>>;
  <const P extends number | readonly number[]>(
    parts: P,
    options?: AxisOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Parts<P, Tensor<SameRank<S>, D>>;
}

/**
 * An axis, the first one if none is named, cut into parts: a number of equal ones, or ones of the sizes listed.
 *
 * @returns an array of tensors, which `concat` joins again
 * @throws ShapeError when the parts do not make up the axis
 * @throws IndexError when a size is no non-negative integer, or the number of parts no positive one
 * @throws AxisError when there is no such axis
 * @example
 * ```js
 * import { split, tensor } from 'tenfold';
 * split(tensor([1, 2, 3, 4]), 2).map(x => x.toArray()); // => [[1, 2], [3, 4]]
 * split(tensor([1, 2, 3, 4]), [1, 3]).map(x => x.toArray()); // => [[1], [2, 3, 4]]
 * ```
 */
export const split: Split = dual(
  'tensor',
  (x: Tensor, parts: number | readonly number[], { axis = 0 }: AxisOptions = {}) => {
    const node = nodeFor('split', x);
    const at = normalizeAxis('split', axis, node.shape);
    const length = node.shape[at]!;
    if (!Array.isArray(parts))
      checkInteger('split', 'the number of parts', parts as number, 1, Number.MAX_SAFE_INTEGER);
    const sizes = Array.isArray(parts)
      ? parts.map(size => checkInteger('split', 'the size', size, 0, Number.MAX_SAFE_INTEGER))
      : new Array<number>(parts as number).fill(length / (parts as number));
    if (sizes.reduce((sum, size) => sum + size, 0) !== length || !sizes.every(Number.isInteger)) {
      throw new ShapeError({
        operation: 'split',
        given: showAval(node),
        rule: Array.isArray(parts)
          ? `the sizes [${parts.join(', ')}] do not add up to the length ${length} of axis ${at}`
          : `the length ${length} of axis ${at} does not divide into ${parts} equal parts`,
        hint: 'Give sizes that add up to the length.',
      });
    }
    let from = 0;
    return sizes.map(size => {
      const start = node.shape.map((_, i) => (i === at ? from : 0));
      from += size;
      const stop = node.shape.map((n, i) => (i === at ? from : n));
      return wrap(size === length ? node : b.slice(node, { start, stop, step: node.shape.map(() => 1) }));
    });
  },
);

/** Every axis repeated as a whole `outer` times and each of its elements `inner` times. */
const repeated = (x: Node, outer: readonly number[], inner: readonly number[]): Node => {
  const { shape } = x;
  if (outer.every(n => n === 1) && inner.every(n => n === 1)) return x;
  const apart = b.reshape(x, { shape: shape.flatMap(n => [1, n, 1]) });
  const spread = b.broadcast(apart, { shape: shape.flatMap((n, axis) => [outer[axis]!, n, inner[axis]!]) });
  return b.reshape(spread, { shape: shape.map((n, axis) => outer[axis]! * n * inner[axis]!) });
};

/** The signatures of {@link tile}. */
export interface Tile {
  <D extends DType>(x: Tensor<Shape, D>, counts: readonly number[]): Tensor<Shape, D>;
  (counts: readonly number[]): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>;
}

/**
 * The whole tensor repeated along each axis, as tiles on a floor. Fewer counts than axes name the last axes; more
 * make new axes in front.
 *
 * @returns each length times its count
 * @throws IndexError when a count is no non-negative integer
 * @throws ArgumentError when the counts are no array
 * @example
 * ```js
 * import { tensor, tile } from 'tenfold';
 * tile(tensor([1, 2]), [2]).toArray(); // => [1, 2, 1, 2]
 * tile(tensor([1, 2]), [2, 1]).toArray(); // => [[1, 2], [1, 2]]
 * ```
 */
export const tile: Tile = dual(2, (x: Tensor, counts: readonly number[]) => {
  const node = nodeFor('tile', x);
  checkList('tile', 'counts', counts);
  for (const count of counts) checkInteger('tile', 'the count', count, 0, Number.MAX_SAFE_INTEGER);
  const rank = Math.max(node.shape.length, counts.length);
  const raised = nodeFor('tile', reshape(x, [...new Array<number>(rank - node.shape.length).fill(1), ...node.shape]));
  const all = [...new Array<number>(rank - counts.length).fill(1), ...counts];
  return wrap(repeated(raised, all, new Array<number>(rank).fill(1)));
});

/** The signatures of {@link repeat}. */
export interface Repeat {
  <S extends Shape, D extends DType>(x: Tensor<S, D>, count: number, options?: AxisOptions): Tensor<SameRank<S>, D>;
  (count: number, options?: AxisOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<SameRank<S>, D>;
}

/**
 * Each element repeated `count` times in place along an axis, the first one if none is named.
 *
 * @returns that axis longer by the factor `count`
 * @throws IndexError when the count is no non-negative integer
 * @throws AxisError when there is no such axis
 * @example
 * ```js
 * import { repeat, tensor } from 'tenfold';
 * repeat(tensor([1, 2]), 2).toArray(); // => [1, 1, 2, 2]
 * ```
 */
export const repeat: Repeat = dual('tensor', (x: Tensor, count: number, { axis = 0 }: AxisOptions = {}) => {
  const node = nodeFor('repeat', x);
  const at = normalizeAxis('repeat', axis, node.shape);
  checkInteger('repeat', 'the count', count, 0, Number.MAX_SAFE_INTEGER);
  const ones = new Array<number>(node.shape.length).fill(1);
  return wrap(repeated(node, ones, ones.with(at, count)));
});
