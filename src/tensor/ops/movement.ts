/** Moving elements: other shapes, other orders, parts, joins. All of it keeps the dtype but joins, which promote. */
import { b } from '../build.js';
import type { DType } from '../dtype.js';
import { ArgumentError, AxisError, IndexError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { full } from '../primitives/full.js';
import { moveAxis as moveAxisOf } from '../primitives/movement.js';
import {
  checkInteger,
  checkShape,
  normalizeAxes,
  normalizeAxis,
  range,
  type Shape,
  sameShape,
  showAval,
  showShape,
  sizeOf,
} from '../shape.js';
import type { Broadcast, Ok, Promote, Without } from '../shape-types.js';
import { isTensor, type Tensor, wrap } from '../tensor.js';
import { checkHolds, checkList, sameDType, showAll } from './checks.js';
import { broadcastNode, dual, nodeFor } from './operands.js';

/** A shape of the same rank of which no length is known. */
export type SameRank<S extends Shape> = { readonly [Axis in keyof S]: number };

/** A shape that may have one −1, whose length is not known to the compiler. */
export type Reshaped<S extends Shape> = { readonly [Axis in keyof S]: S[Axis] extends -1 ? number : S[Axis] };

/** The lengths in another order; `number` for an axis that is counted from the end. */
export type Permuted<S extends Shape, Axes extends readonly number[]> = {
  readonly [I in keyof Axes]: `${Axes[I]}` extends keyof S
    ? S[`${Axes[I]}`] extends number
      ? S[`${Axes[I]}`]
      : number
    : number;
};

/** The lengths from the last to the first. */
export type Reversed<S extends Shape> = S extends readonly [infer First extends number, ...infer Rest extends Shape]
  ? readonly [...Reversed<Rest>, First]
  : S extends readonly []
    ? readonly []
    : Shape;

/** The shape with an axis of length 1 more. */
export type Expanded<S extends Shape, Axis extends number> = number extends Axis
  ? SameRank<readonly [number, ...S]>
  : Axis extends 0
    ? readonly [1, ...S]
    : Axis extends -1
      ? readonly [...S, 1]
      : SameRank<readonly [number, ...S]>;

/** What functions that work along one axis take last. */
export interface AxisOptions {
  /** Negative axes count from the end. */
  readonly axis?: number;
}

const strayed = (operation: string, x: Node, rule: string, hint: string): ShapeError =>
  new ShapeError({ operation, given: showAval(x), rule, hint });

const reshapeNode = (x: Node, shape: Shape): Node => (sameShape(x.shape, shape) ? x : b.reshape(x, { shape }));

const permuteNode = (x: Node, axes: readonly number[]): Node =>
  axes.every((axis, i) => axis === i) ? x : b.permute(x, { axes });

/** The shape with the length that −1 stands for. */
const inferred = (x: Node, given: Shape): Shape => {
  checkList('reshape', 'lengths', given);
  const at = given.indexOf(-1);
  const shape = checkShape('reshape', at < 0 ? given : given.with(at, 1));
  const [size, rest] = [sizeOf(x.shape), sizeOf(shape)];
  if (at < 0 ? size === rest : rest > 0 && size % rest === 0)
    return at < 0 ? shape : Object.freeze(shape.with(at, size / rest));
  throw new ShapeError({
    operation: 'reshape',
    given: `${showAval(x)} and the shape ${showShape(given)}`,
    rule:
      at < 0
        ? `the tensor has ${size} elements, the shape ${rest}`
        : rest === 0
          ? 'beside a length of 0 any length could stand for −1'
          : `the tensor has ${size} elements, which ${rest} does not divide`,
    hint: 'The lengths must multiply to the number of elements; one of them may be −1.',
  });
};

/** The signatures of {@link reshape}. */
export interface Reshape {
  <D extends DType, const R extends Shape>(x: Tensor<Shape, D>, shape: R): Tensor<Reshaped<R>, D>;
  <const R extends Shape>(shape: R): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Reshaped<R>, D>;
}

/**
 * The same elements in row-major order in another shape. One length may be −1: whatever is left for it.
 *
 * @returns the shape given
 * @throws ShapeError when the shape has another number of elements
 * @example
 * ```js
 * import { reshape, tensor } from 'tenfold';
 * reshape(tensor([1, 2, 3, 4, 5, 6]), [2, 3]).toArray(); // => [[1, 2, 3], [4, 5, 6]]
 * reshape(tensor([[1, 2], [3, 4]]), [-1]).toArray(); // => [1, 2, 3, 4]
 * ```
 */
export const reshape: Reshape = dual(2, (x: Tensor, shape: Shape) => {
  const node = nodeFor('reshape', x);
  return wrap(reshapeNode(node, inferred(node, shape)));
});

/** The signatures of {@link permute}. */
export interface Permute {
  <S extends Shape, D extends DType, const A extends readonly number[]>(
    x: Tensor<S, D>,
    axes: A,
  ): Tensor<Permuted<S, A>, D>;
  <const A extends readonly number[]>(
    axes: A,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Permuted<S, A>, D>;
}

/**
 * The axes in another order: axis `i` of the result is axis `axes[i]` of `x`.
 *
 * @returns the lengths in that order
 * @throws AxisError unless each axis is named once
 * @example
 * ```js
 * import { permute, zeros } from 'tenfold';
 * permute(zeros([2, 3, 4]), [2, 0, 1]).shape; // => [4, 2, 3]
 * ```
 */
export const permute: Permute = dual(2, (x: Tensor, axes: readonly number[]) => {
  const node = nodeFor('permute', x);
  checkList('permute', 'axes', axes);
  const normal = axes.map(axis => normalizeAxis('permute', axis, node.shape));
  if (normal.length !== node.shape.length || new Set(normal).size !== normal.length) {
    throw new AxisError({
      operation: 'permute',
      given: `${showAval(node)} and the axes [${axes.join(', ')}]`,
      rule: 'the axes must name each axis once',
      hint: `Give ${node.shape.length} different axes; mind that negative ones count from the end.`,
    });
  }
  return wrap(permuteNode(node, normal));
});

/**
 * The axes in reverse order: for a matrix, rows become columns. For the last two axes only, use {@link swapAxes}.
 *
 * @returns the lengths from the last to the first
 * @throws ArgumentError when `x` is no tensor
 * @example
 * ```js
 * import { tensor, transpose } from 'tenfold';
 * transpose(tensor([[1, 2, 3], [4, 5, 6]])).toArray(); // => [[1, 4], [2, 5], [3, 6]]
 * ```
 */
export const transpose = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<Reversed<S>, D> => {
  const node = nodeFor('transpose', x);
  return wrap(permuteNode(node, range(node.shape.length).reverse()));
};

/** The signatures of {@link swapAxes} and {@link moveAxis}. */
export interface TwoAxes {
  <S extends Shape, D extends DType>(x: Tensor<S, D>, a: number, b: number): Tensor<SameRank<S>, D>;
  (a: number, b: number): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<SameRank<S>, D>;
}

/**
 * Two axes exchanged, the others staying where they are.
 *
 * @throws AxisError when one is not an axis of `x`
 * @example
 * ```js
 * import { swapAxes, zeros } from 'tenfold';
 * swapAxes(zeros([2, 3, 4]), -1, -2).shape; // => [2, 4, 3]
 * ```
 */
export const swapAxes: TwoAxes = dual(3, (x: Tensor, first: number, second: number) => {
  const node = nodeFor('swapAxes', x);
  const [p, q] = [first, second].map(axis => normalizeAxis('swapAxes', axis, node.shape));
  return wrap(
    permuteNode(
      node,
      range(node.shape.length).map(axis => (axis === p ? q! : axis === q ? p! : axis)),
    ),
  );
});

/**
 * The axis `from` taken out and put in so that it is the axis `to` of the result; the others keep their order.
 *
 * @throws AxisError when one is not an axis of `x`
 * @example
 * ```js
 * import { moveAxis, zeros } from 'tenfold';
 * moveAxis(zeros([2, 3, 4]), 0, -1).shape; // => [3, 4, 2]
 * ```
 */
export const moveAxis: TwoAxes = dual(3, (x: Tensor, from: number, to: number) => {
  const node = nodeFor('moveAxis', x);
  const [p, q] = [from, to].map(axis => normalizeAxis('moveAxis', axis, node.shape));
  return wrap(moveAxisOf(b, node, p!, q!));
});

/** The signatures of {@link broadcastTo}. */
export interface BroadcastTo {
  <S extends Shape, D extends DType, const R extends Shape>(
    x: Tensor<S, D>,
    shape: R & Ok<Broadcast<'broadcastTo', S, R>>,
  ): Tensor<R, D>;
  <const R extends Shape>(
    shape: R,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & Ok<Broadcast<'broadcastTo', S, R>>) => Tensor<R, D>;
}

/**
 * `x` repeated to fill the shape: axes of length 1, and axes missing at the front, repeat.
 *
 * @returns the shape given
 * @throws ShapeError when `x` does not spread over it
 * @example
 * ```js
 * import { broadcastTo, tensor } from 'tenfold';
 * broadcastTo(tensor([1, 2]), [3, 2]).toArray(); // => [[1, 2], [1, 2], [1, 2]]
 * ```
 */
export const broadcastTo: BroadcastTo = dual(2, (x: Tensor, shape: Shape) => {
  const node = nodeFor('broadcastTo', x);
  const to = checkShape('broadcastTo', shape);
  const spreads =
    node.shape.length <= to.length &&
    node.shape.every((length, axis) => length === 1 || length === to[to.length - node.shape.length + axis]);
  if (!spreads) {
    throw new ShapeError({
      operation: 'broadcastTo',
      given: `${showAval(node)} and the shape ${showShape(to)}`,
      rule: 'aligned at the right, each length must be 1 or that of the shape',
      hint: 'Use reshape or expandDims to line the axes up.',
    });
  }
  return wrap(broadcastNode(node, to));
});

/** Bounds or steps of the leading axes; null, and what is missing, means all of the axis. */
export type Bounds = readonly (number | null)[];

/** The signatures of {@link slice}. */
export interface Slice {
  <S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    start: Bounds,
    stop?: Bounds,
    step?: Bounds,
  ): Tensor<SameRank<S>, D>;
  (
    start: Bounds,
    stop?: Bounds,
    step?: Bounds,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<SameRank<S>, D>;
}

/** Python's `slice.indices` along one axis: first place, number of places. */
const placesOf = (start: number | null, stop: number | null, step: number, length: number): [number, number] => {
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const bound = (at: number): number => Math.min(high, Math.max(low, at < 0 ? at + length : at));
  const from = start === null ? (step > 0 ? low : high) : bound(start);
  const to = stop === null ? (step > 0 ? high : low) : bound(stop);
  return [from, Math.max(0, Math.ceil((to - from) / step))];
};

/**
 * A part of each axis: from `start` up to but not including `stop`, every `step`-th element, as Python's
 * `x[start:stop:step]`. The arrays name the leading axes; for axes beyond them, and for null, it is the whole axis.
 * Negative bounds count from the end, bounds outside are clamped, and a negative step walks backwards.
 *
 * @returns the same rank; the lengths of the parts
 * @throws ShapeError when there are more bounds than axes
 * @throws IndexError when a bound or step is no integer, or a step is 0
 * @example
 * ```js
 * import { slice, tensor } from 'tenfold';
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * slice(x, [0, 1], [2, 3]).toArray(); // => [[2, 3], [5, 6]]
 * slice(x, [-1]).toArray(); // => [[4, 5, 6]]
 * slice(x, [], [], [null, -2]).toArray(); // => [[3, 1], [6, 4]]
 * ```
 */
export const slice: Slice = dual('tensor', (x: Tensor, start: Bounds, stop: Bounds = [], step: Bounds = []) => {
  const node = nodeFor('slice', x);
  const { shape } = node;
  for (const [name, list] of Object.entries({ start, stop, step })) {
    checkList('slice', `the bounds in ${name}`, list);
    if (list.length > shape.length) {
      throw new ShapeError({
        operation: 'slice',
        given: `${showAval(node)} and ${name} [${list.join(', ')}]`,
        rule: `${name} has ${list.length} entries for ${shape.length} axes`,
        hint: 'Give one entry an axis, or fewer for the leading axes.',
      });
    }
    list.forEach((at, axis) => {
      if ((at ?? null) === null || (Number.isInteger(at) && (name !== 'step' || at !== 0))) return;
      throw new IndexError({
        operation: 'slice',
        given: `${showAval(node)} and ${name} ${at} on axis ${axis}`,
        rule: name === 'step' ? 'steps are integers other than 0, or null' : 'bounds are integers or null',
        hint: 'null stands for the whole axis.',
      });
    });
  }
  const steps = shape.map((_, axis) => step[axis] ?? 1);
  const places = shape.map((length, axis) => placesOf(start[axis] ?? null, stop[axis] ?? null, steps[axis]!, length));
  const backwards = range(shape.length).filter(axis => steps[axis]! < 0 && places[axis]![1] > 1);
  // What is walked backwards is taken forwards and then turned round.
  const first = places.map(([from, count], axis) =>
    steps[axis]! > 0 ? from : count === 0 ? 0 : from + (count - 1) * steps[axis]!,
  );
  const strides = steps.map(Math.abs);
  const whole = places.every(([, count], axis) => count === shape[axis]);
  const taken = whole
    ? node
    : b.slice(node, {
        start: first,
        stop: places.map(([, count], axis) =>
          count === 0 ? first[axis]! : first[axis]! + (count - 1) * strides[axis]! + 1,
        ),
        step: strides,
      });
  return wrap(backwards.length === 0 ? taken : b.flip(taken, { axes: backwards }));
});

/** The options of {@link pad}. */
export interface PadOptions {
  /** What the new elements are; 0 (false) if left out. */
  readonly value?: number | boolean;
}

/** How many elements to add before and after each axis. */
export type Widths = readonly (readonly [before: number, after: number])[];

/** The signatures of {@link pad}. */
export interface Pad {
  <S extends Shape, D extends DType>(x: Tensor<S, D>, widths: Widths, options?: PadOptions): Tensor<SameRank<S>, D>;
  (widths: Widths, options?: PadOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<SameRank<S>, D>;
}

/**
 * Elements added before and after each axis, all of one value.
 *
 * @param widths a pair `[before, after]` for each axis
 * @returns the same rank; each axis longer by its widths
 * @throws ShapeError unless there is one pair an axis
 * @throws IndexError when a width is no non-negative integer
 * @throws DTypeError when the dtype does not hold the value
 * @example
 * ```js
 * import { pad, tensor } from 'tenfold';
 * pad(tensor([1, 2]), [[1, 2]]).toArray(); // => [0, 1, 2, 0, 0]
 * pad(tensor([[1]]), [[0, 1], [1, 0]], { value: 9 }).toArray(); // => [[9, 1], [9, 9]]
 * ```
 */
export const pad: Pad = dual('tensor', (x: Tensor, widths: Widths, { value = 0 }: PadOptions = {}) => {
  const node = nodeFor('pad', x);
  checkList('pad', 'widths', widths);
  if (widths.length !== node.shape.length || widths.some(pair => !Array.isArray(pair) || pair.length !== 2)) {
    throw new ShapeError({
      operation: 'pad',
      given: `${showAval(node)} and widths ${JSON.stringify(widths)}`,
      rule: `it takes one pair [before, after] for each of the ${node.shape.length} axes`,
      hint: 'Write [0, 0] for an axis that stays as it is.',
    });
  }
  widths.forEach(([before, after], axis) => {
    for (const width of [before, after]) {
      if (Number.isInteger(width) && width >= 0) continue;
      throw new IndexError({
        operation: 'pad',
        given: `${showAval(node)} and the widths ${before} and ${after} on axis ${axis}`,
        rule: 'widths are non-negative integers',
        hint: 'To take elements away, use slice.',
      });
    }
  });
  checkHolds('pad', node.dtype, Number(value));
  if (widths.every(([before, after]) => before + after === 0)) return wrap(node);
  const params = {
    low: widths.map(([before]) => before),
    high: widths.map(([, after]) => after),
    interior: widths.map(() => 0),
  };
  const padded = b.pad(node, params);
  if (Number(value) === 0) return wrap(padded);
  const inside = b.pad(full(b, { shape: node.shape, dtype: 'bool' }, 1), params);
  return wrap(b.select(inside, padded, full(b, padded, Number(value))));
});

/** The signatures of {@link flip}. */
export interface Flip {
  <S extends Shape, D extends DType>(x: Tensor<S, D>, axis?: number | readonly number[]): Tensor<S, D>;
  (axis?: number | readonly number[]): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>;
}

/**
 * The elements in reverse order along the axis, the axes, or, if none is named, all of them.
 *
 * @returns the shape of `x`
 * @throws AxisError when there is no such axis
 * @example
 * ```js
 * import { flip, tensor } from 'tenfold';
 * flip(tensor([[1, 2], [3, 4]]), 1).toArray(); // => [[2, 1], [4, 3]]
 * flip(tensor([[1, 2], [3, 4]])).toArray(); // => [[4, 3], [2, 1]]
 * ```
 */
export const flip: Flip = dual('tensor', (x: Tensor, axis?: number | readonly number[]) => {
  const node = nodeFor('flip', x);
  const axes = normalizeAxes('flip', axis, node.shape);
  return wrap(axes.length === 0 ? node : b.flip(node, { axes }));
});

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

/** A new axis as the result counts it. */
const newAxis = (operation: string, axis: number, shape: Shape): number => {
  const rank = shape.length + 1;
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw new AxisError({
    operation,
    given: `axis ${axis} and the shape ${showShape(shape)}`,
    rule: `the new axis is an integer from ${-rank} to ${rank - 1}`,
    hint: 'It is counted in the result, which has one axis more; −1 is the last.',
  });
};

const inserted = (shape: Shape, axis: number, length: number): number[] => [
  ...shape.slice(0, axis),
  length,
  ...shape.slice(axis),
];

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
  const raised = sameDType('stack', nodes).map(x => b.reshape(x, { shape: inserted(shape, at, 1) }));
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
      throw strayed(
        'split',
        node,
        Array.isArray(parts)
          ? `the sizes [${parts.join(', ')}] do not add up to the length ${length} of axis ${at}`
          : `the length ${length} of axis ${at} does not divide into ${parts} equal parts`,
        'Give sizes that add up to the length.',
      );
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

/** The signatures of {@link squeeze}. */
export interface Squeeze {
  <S extends Shape, D extends DType, const Axis extends number>(
    x: Tensor<S, D>,
    axis: Axis,
  ): Tensor<Without<S, Axis>, D>;
  <D extends DType>(x: Tensor<Shape, D>, axis?: readonly number[]): Tensor<Shape, D>;
  <const Axis extends number>(
    axis: Axis,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Without<S, Axis>, D>;
  (axis?: readonly number[]): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>;
}

/**
 * Without the axis or axes named, which must have length 1; if none is named, without all of length 1.
 *
 * @throws ShapeError when an axis named is longer
 * @throws AxisError when there is no such axis
 * @example
 * ```js
 * import { squeeze, tensor } from 'tenfold';
 * squeeze(tensor([[[1], [2]]])).toArray(); // => [1, 2]
 * squeeze(tensor([[[1], [2]]]), 0).toArray(); // => [[1], [2]]
 * ```
 */
export const squeeze: Squeeze = dual('tensor', (x: Tensor, axis?: number | readonly number[]) => {
  const node = nodeFor('squeeze', x);
  const { shape } = node;
  const axes = normalizeAxes('squeeze', axis, shape).filter(at => axis !== undefined || shape[at] === 1);
  const long = axes.find(at => shape[at] !== 1);
  if (long !== undefined) {
    throw strayed(
      'squeeze',
      node,
      `axis ${long} has length ${shape[long]}, not 1`,
      'Use slice or take to pick an element first.',
    );
  }
  return wrap(
    reshapeNode(
      node,
      shape.filter((_, at) => !axes.includes(at)),
    ),
  );
});

/** The signatures of {@link expandDims}. */
export interface ExpandDims {
  <S extends Shape, D extends DType, const Axis extends number>(
    x: Tensor<S, D>,
    axis: Axis,
  ): Tensor<Expanded<S, Axis>, D>;
  <const Axis extends number>(
    axis: Axis,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Expanded<S, Axis>, D>;
}

/**
 * A new axis of length 1, which is the axis `axis` of the result.
 *
 * @throws AxisError when the result has no such axis
 * @example
 * ```js
 * import { expandDims, tensor } from 'tenfold';
 * expandDims(tensor([1, 2]), 0).toArray(); // => [[1, 2]]
 * expandDims(tensor([1, 2]), -1).toArray(); // => [[1], [2]]
 * ```
 */
export const expandDims: ExpandDims = dual(2, (x: Tensor, axis: number) => {
  const node = nodeFor('expandDims', x);
  const at = newAxis('expandDims', axis, node.shape);
  return wrap(b.reshape(node, { shape: inserted(node.shape, at, 1) }));
});

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
  const raised = reshapeNode(node, [...new Array<number>(rank - node.shape.length).fill(1), ...node.shape]);
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
