/** Joining tensors, which brings them to one dtype, and cutting one into parts. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ArgumentError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { checkInteger, normalizeAxis, range, type Shape, sameShape, showAval } from '../../shape.js';
import type { Fit, Ok, Promote } from '../../shape-types.js';
import { isTensor, type Tensor, wrap } from '../../tensor.js';
import type { Axes, Place, Reduce } from '../../types/axes.js';
import type { Chunked, Concat, SplitEqually, SplitShapes, SplitSizes, Stack } from '../../types/joining.js';
import { newAxis, sameDType, showAll } from '../common/checks.js';
import { joined, reshapeNode, sliceAlong } from '../common/moving.js';
import { nodeFor } from '../common/operands.js';
import { checkOptions, dualChecked, withOptions } from '../common/options.js';

/** What functions that work along one axis take last. */
export interface AxisOptions<Axis extends number = number> {
  /** Negative axes count from the end. */
  readonly axis?: Axis;
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

/** The shapes of several tensors. */
export type ShapesOf<T extends readonly Tensor[]> = { readonly [I in keyof T]: T[I]['shape'] };

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

/**
 * Tensors one after the other along an axis that they have, the first one if none is named.
 *
 * @returns that axis as long as theirs together; the dtype that all can be cast to
 * @throws ShapeError unless the shapes agree on all other axes
 * @throws AxisError when there is no such axis
 * @throws DTypeError for dtypes that do not meet in one
 * @throws ArgumentError for an empty list, or an option of another name
 * @numpy np.concatenate
 * @pytorch torch.cat
 * @example
 * ```js
 * import { concat, tensor } from 'tenfold';
 * concat([tensor([1, 2]), tensor([3])]).toArray(); // => [1, 2, 3]
 * concat([tensor([[1], [2]]), tensor([[3], [4]])], { axis: 1 }).toArray(); // => [[1, 3], [2, 4]]
 * ```
 */
export const concat = <const T extends readonly Tensor[], const Axis extends number = 0>(
  xs: T & Ok<Concat<ShapesOf<T>, Axis>>,
  options: AxisOptions<Axis> = {},
): Tensor<Fit<Concat<ShapesOf<T>, Axis>>, PromoteAll<T>> => {
  checkOptions('concat', ['axis'], options);
  const { axis = 0 } = options;
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

/**
 * Tensors of one shape joined along a new axis, in front of the others if none is named.
 *
 * @returns one axis more, as long as the list; the dtype that all can be cast to
 * @throws ShapeError unless the shapes are equal
 * @throws AxisError when the result has no such axis
 * @throws DTypeError for dtypes that do not meet in one
 * @throws ArgumentError for an empty list, or an option of another name
 * @numpy np.stack
 * @pytorch torch.stack
 * @example
 * ```js
 * import { stack, tensor } from 'tenfold';
 * stack([tensor([1, 2]), tensor([3, 4])]).toArray(); // => [[1, 2], [3, 4]]
 * stack([tensor([1, 2]), tensor([3, 4])], { axis: 1 }).toArray(); // => [[1, 3], [2, 4]]
 * ```
 */
export const stack = <const T extends readonly Tensor[], const Axis extends number = 0>(
  xs: T & Ok<Stack<ShapesOf<T>, Axis>>,
  options: AxisOptions<Axis> = {},
): Tensor<Fit<Stack<ShapesOf<T>, Axis>>, PromoteAll<T>> => {
  checkOptions('stack', ['axis'], options);
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
  const at = newAxis('stack', options.axis ?? 0, shape);
  const raised = sameDType('stack', nodes).map(x => b.reshape(x, { shape: shape.toSpliced(at, 0, 1) }));
  return wrap(joined(raised, at));
};

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

type TupleOf<T, N extends number, Acc extends readonly T[] = readonly []> = Acc['length'] extends N
  ? Acc
  : TupleOf<T, N, readonly [...Acc, T]>;

/** So many parts, where the compiler can count them. */
export type Parts<N extends number, Part> = `${N}` extends `${Digit}` | `${Digit}${Digit}`
  ? TupleOf<Part, N>
  : readonly Part[];

/** The parts that {@link split} makes. */
export type SplitInto<S extends Shape, D extends DType, P extends Axes, Axis extends number> = P extends Shape
  ? { readonly [I in keyof P]: Tensor<ShapeAt<SplitSizes<S, P, Axis>, I>, D> }
  : P extends number
    ? Parts<P, Tensor<Fit<SplitEqually<S, P, Axis>>, D>>
    : never;

type ShapeAt<Shapes, I> = I extends keyof Shapes ? Fit<Shapes[I]> : Shape;

/** The signatures of {@link split}. */
export interface Split {
  <const P extends Axes, const Axis extends number = 0>(
    parts: P,
    options?: AxisOptions<Axis>,
  ): <X extends Tensor>(x: X & Ok<SplitShapes<X['shape'], P, Axis>>) => SplitInto<X['shape'], X['dtype'], P, Axis>;
  <X extends Tensor, const P extends Axes, const Axis extends number = 0>(
    x: X,
    parts: P & Ok<SplitShapes<X['shape'], P, Axis>>,
    options?: AxisOptions<Axis>,
  ): SplitInto<X['shape'], X['dtype'], P, Axis>;
}

/** An axis cut into parts of these sizes, one after the other. */
const cut = (x: Node, axis: number, sizes: readonly number[]): Tensor[] => {
  let from = 0;
  return sizes.map(size => {
    from += size;
    return wrap(sliceAlong(x, axis, from - size, from));
  });
};

/**
 * An axis, the first one if none is named, cut into parts: a number of equal ones, or ones of the sizes listed.
 *
 * @returns an array of tensors, which `concat` joins again
 * @throws ShapeError when the parts do not make up the axis; {@link chunk} takes any length
 * @throws IndexError when a size is no non-negative integer, or the number of parts no positive one
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an option of another name
 * @numpy np.split
 * @pytorch torch.split
 * @example
 * ```js
 * import { split, tensor } from 'tenfold';
 * split(tensor([1, 2, 3, 4]), 2).map(x => x.toArray()); // => [[1, 2], [3, 4]]
 * split(tensor([1, 2, 3, 4]), [1, 3]).map(x => x.toArray()); // => [[1], [2, 3, 4]]
 * ```
 */
export const split: Split = dualChecked(
  'split',
  2,
  ['axis'],
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
        hint: 'Give sizes that add up to the length, or use chunk for a smaller last part.',
      });
    }
    return cut(node, at, sizes);
  },
);

/** The signatures of {@link chunk}. */
export interface Chunk {
  <const Axis extends number = 0>(
    chunks: number,
    options?: AxisOptions<Axis>,
  ): <X extends Tensor>(
    x: X & Ok<Chunked<X['shape'], Axis>>,
  ) => readonly Tensor<Fit<Chunked<X['shape'], Axis>>, X['dtype']>[];
  <X extends Tensor, const Axis extends number = 0>(
    x: X,
    chunks: number & Ok<Chunked<X['shape'], Axis>>,
    options?: AxisOptions<Axis>,
  ): readonly Tensor<Fit<Chunked<X['shape'], Axis>>, X['dtype']>[];
}

/**
 * An axis of any length, the first one if none is named, cut into parts of ⌈length / chunks⌉, the last one smaller
 * where it does not divide. There may be fewer parts than asked for: 5 elements in 4 chunks are parts of 2, 2 and 1.
 *
 * @returns an array of tensors, which `concat` joins again
 * @throws IndexError when the number of chunks is no positive integer
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an option of another name
 * @numpy —
 * @pytorch torch.chunk
 * @example
 * ```js
 * import { chunk, tensor } from 'tenfold';
 * chunk(tensor([1, 2, 3, 4, 5]), 2).map(x => x.toArray()); // => [[1, 2, 3], [4, 5]]
 * ```
 */
export const chunk: Chunk = dualChecked(
  'chunk',
  2,
  ['axis'],
  (x: Tensor, chunks: number, { axis = 0 }: AxisOptions = {}) => {
    const node = nodeFor('chunk', x);
    const at = normalizeAxis('chunk', axis, node.shape);
    checkInteger('chunk', 'the number of chunks', chunks, 1, 2 ** 31 - 1);
    const length = node.shape[at]!;
    const size = Math.ceil(length / chunks);
    const count = length === 0 ? chunks : Math.ceil(length / size);
    return cut(
      node,
      at,
      Array.from({ length: count }, (_, i) => Math.min(size, length - i * size)),
    );
  },
);

/** The parts that {@link unstack} makes, where the compiler can count them. */
export type Unstacked<S extends Shape, Axis extends number, D extends DType> = Parts<
  LengthOf<S, Place<'unstack', S['length'], Axis>>,
  Tensor<Fit<Reduce<'unstack', S, Axis>>, D>
>;

/** The length in a place; `number` where it is not known. */
type LengthOf<S extends Shape, P> = P extends number ? S[P] : number;

/** The signatures of {@link unstack}. */
export interface Unstack {
  <X extends Tensor, const Axis extends number = 0>(
    x: X & Ok<Reduce<'unstack', X['shape'], Axis>>,
    options?: AxisOptions<Axis>,
  ): Unstacked<X['shape'], Axis, X['dtype']>;
  <const Axis extends number = 0>(
    options?: AxisOptions<Axis>,
  ): <X extends Tensor>(x: X & Ok<Reduce<'unstack', X['shape'], Axis>>) => Unstacked<X['shape'], Axis, X['dtype']>;
  <X extends Tensor>(x: X & Ok<Reduce<'unstack', X['shape'], 0>>): Unstacked<X['shape'], 0, X['dtype']>;
}

/**
 * The slices along an axis, the first one if none is named, each without that axis: what `stack` has joined.
 *
 * @returns an array of as many tensors as the axis is long
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an option of another name
 * @numpy np.unstack
 * @pytorch torch.unbind
 * @example
 * ```js
 * import { tensor, unstack } from 'tenfold';
 * unstack(tensor([[1, 2], [3, 4]])).map(x => x.toArray()); // => [[1, 2], [3, 4]]
 * unstack(tensor([[1, 2], [3, 4]]), { axis: 1 }).map(x => x.toArray()); // => [[1, 3], [2, 4]]
 * ```
 */
export const unstack: Unstack = withOptions('unstack', ['axis'], (x: Tensor, { axis = 0 }: AxisOptions) => {
  const node = nodeFor('unstack', x);
  const at = normalizeAxis('unstack', axis, node.shape);
  const shape = node.shape.toSpliced(at, 1);
  return range(node.shape[at]!).map(i => wrap(reshapeNode(sliceAlong(node, at, i, i + 1), shape)));
});
