/** The axes of one tensor in other orders and lengths. The dtype stays. */
import { b } from '../../build.js';
import { AxisError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import {
  checkShape,
  normalizeAxes,
  normalizeAxis,
  range,
  type Shape,
  showAval,
  showShape,
  sizeOf,
} from '../../shape.js';
import type { Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Axes, ExpandDims as Expanded, Squeeze as Squeezed } from '../../types/axes.js';
import type { NotAny } from '../../types/known.js';
import type {
  MoveAxis as Moved,
  Permute as Permuted,
  SwapAxes as Swapped,
  Transpose as Transposed,
} from '../../types/ordering.js';
import type { Reshaped, Reshape as ReshapeRule, BroadcastTo as Spread } from '../../types/reshaping.js';
import { checkList, newAxis } from '../common/checks.js';
import { permuteNode, reshapeNode } from '../common/moving.js';
import { broadcastNode, dual, nodeFor } from '../common/operands.js';

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
  <X extends Tensor, const R extends Shape>(
    x: X,
    shape: R & Ok<ReshapeRule<X['shape'], R>>,
  ): Tensor<Reshaped<X['shape'], R>, X['dtype']>;
  <const R extends Shape>(
    shape: R,
  ): <X extends Tensor>(x: X & Ok<ReshapeRule<X['shape'], R>>) => Tensor<Reshaped<X['shape'], R>, X['dtype']>;
}

/**
 * The same elements in row-major order in another shape. One length may be −1: whatever is left for it.
 *
 * @returns the shape given
 * @throws ShapeError when the shape has another number of elements
 * @numpy np.reshape
 * @pytorch torch.reshape
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
  <X extends Tensor, const A extends Shape>(
    x: X,
    axes: A & Ok<Permuted<X['shape'], A>>,
  ): Tensor<Fit<Permuted<X['shape'], A>>, X['dtype']>;
  <const A extends Shape>(
    axes: A,
  ): <X extends Tensor>(x: X & Ok<Permuted<X['shape'], A>>) => Tensor<Fit<Permuted<X['shape'], A>>, X['dtype']>;
}

/**
 * The axes in another order: axis `i` of the result is axis `axes[i]` of `x`.
 *
 * @returns the lengths in that order
 * @throws AxisError unless each axis is named once
 * @numpy np.transpose
 * @pytorch torch.permute
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
 * @numpy np.transpose
 * @pytorch Tensor.T
 * @example
 * ```js
 * import { tensor, transpose } from 'tenfold';
 * transpose(tensor([[1, 2, 3], [4, 5, 6]])).toArray(); // => [[1, 4], [2, 5], [3, 6]]
 * ```
 */
export const transpose = <X extends Tensor>(x: X): Tensor<Transposed<X['shape']>, X['dtype']> => {
  const node = nodeFor('transpose', x);
  return wrap(permuteNode(node, range(node.shape.length).reverse()));
};

/** The signatures of {@link swapAxes}. */
export interface TwoAxes {
  <X extends Tensor, const A extends number, const B extends number>(
    x: X,
    a: A,
    b: B & Ok<Swapped<X['shape'], A, B>>,
  ): Tensor<Fit<Swapped<X['shape'], A, B>>, X['dtype']>;
  <const A extends number, const B extends number>(
    a: A,
    b: B,
  ): <X extends Tensor>(x: X & Ok<Swapped<X['shape'], A, B>>) => Tensor<Fit<Swapped<X['shape'], A, B>>, X['dtype']>;
}

/**
 * Two axes exchanged, the others staying where they are.
 *
 * @throws AxisError when one is not an axis of `x`
 * @numpy np.swapaxes
 * @pytorch torch.swapaxes
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

/** The signatures of {@link moveAxis}. */
export interface MoveAxis {
  <X extends Tensor, const From extends Axes, const To extends Axes>(
    x: X,
    from: From,
    to: To & Ok<Moved<X['shape'], From, To>>,
  ): Tensor<Fit<Moved<X['shape'], From, To>>, X['dtype']>;
  <const From extends Axes, const To extends Axes>(
    from: From,
    to: To,
  ): <X extends Tensor>(x: X & Ok<Moved<X['shape'], From, To>>) => Tensor<Fit<Moved<X['shape'], From, To>>, X['dtype']>;
}

/**
 * The axis `from` taken out and put in so that it is the axis `to` of the result; the others keep their order. Lists of
 * both move several at once.
 *
 * @throws AxisError when one is not an axis of `x`, is named twice, or has no partner in the other list
 * @numpy np.moveaxis
 * @pytorch torch.movedim
 * @example
 * ```js
 * import { moveAxis, zeros } from 'tenfold';
 * moveAxis(zeros([2, 3, 4]), 0, -1).shape; // => [3, 4, 2]
 * moveAxis(zeros([2, 3, 4]), [0, 1], [2, 0]).shape; // => [3, 4, 2]
 * ```
 */
export const moveAxis: MoveAxis = dual(3, (x: Tensor, from: Axes, to: Axes) => {
  const node = nodeFor('moveAxis', x);
  const [sources, places] = [from, to].map(axes =>
    [axes].flat().map(axis => normalizeAxis('moveAxis', axis as number, node.shape)),
  ) as [number[], number[]];
  for (const axes of [sources, places]) normalizeAxes('moveAxis', axes, node.shape);
  if (sources.length !== places.length) {
    throw new AxisError({
      operation: 'moveAxis',
      given: `${showAval(node)}, from [${sources.join(', ')}] and to [${places.join(', ')}]`,
      rule: 'each axis taken out needs one place',
      hint: 'Give two lists of the same length.',
    });
  }
  const others = range(node.shape.length).filter(axis => !sources.includes(axis));
  const axes = range(node.shape.length).map(place =>
    places.includes(place) ? sources[places.indexOf(place)]! : others.shift()!,
  );
  return wrap(permuteNode(node, axes));
});

/** The signatures of {@link broadcastTo}. */
export interface BroadcastTo {
  <X extends Tensor, const R extends Shape>(x: X, shape: R & Ok<Spread<X['shape'], R>>): Tensor<R, X['dtype']>;
  <const R extends Shape>(shape: R): <X extends Tensor>(x: X & Ok<Spread<X['shape'], R>>) => Tensor<R, X['dtype']>;
}

/**
 * `x` repeated to fill the shape: axes of length 1, and axes missing at the front, repeat.
 *
 * @returns the shape given
 * @throws ShapeError when `x` does not spread over it
 * @numpy np.broadcast_to
 * @pytorch torch.broadcast_to
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

/** The signatures of {@link squeeze}. */
export interface Squeeze {
  <X extends Tensor, const Axis extends Axes | undefined = undefined>(
    x: X,
    axis?: Axis & Ok<Squeezed<X['shape'], Axis>>,
  ): Tensor<Fit<Squeezed<X['shape'], Axis>>, X['dtype']>;
  <const Axis extends Axes | undefined = undefined>(
    axis?: Axis & NotAny<Axis>,
  ): <X extends Tensor>(x: X & Ok<Squeezed<X['shape'], Axis>>) => Tensor<Fit<Squeezed<X['shape'], Axis>>, X['dtype']>;
}

/**
 * Without the axis or axes named, which must have length 1; if none is named, without all of length 1.
 *
 * @throws ShapeError when an axis named is longer
 * @throws AxisError when there is no such axis
 * @numpy np.squeeze
 * @pytorch torch.squeeze
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
    throw new ShapeError({
      operation: 'squeeze',
      given: showAval(node),
      rule: `axis ${long} has length ${shape[long]}, not 1`,
      hint: 'Use slice or take to pick an element first.',
    });
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
  <X extends Tensor, const Axis extends Axes>(
    x: X,
    axis: Axis & Ok<Expanded<X['shape'], Axis>>,
  ): Tensor<Fit<Expanded<X['shape'], Axis>>, X['dtype']>;
  <const Axis extends Axes>(
    axis: Axis,
  ): <X extends Tensor>(x: X & Ok<Expanded<X['shape'], Axis>>) => Tensor<Fit<Expanded<X['shape'], Axis>>, X['dtype']>;
}

/**
 * A new axis of length 1, which is the axis `axis` of the result; or several, which are the axes listed.
 *
 * @throws AxisError when the result has no such axis, or one is named twice
 * @numpy np.expand_dims
 * @pytorch torch.unsqueeze
 * @example
 * ```js
 * import { expandDims, tensor } from 'tenfold';
 * expandDims(tensor([1, 2]), 0).toArray(); // => [[1, 2]]
 * expandDims(tensor([1, 2]), -1).toArray(); // => [[1], [2]]
 * expandDims(tensor([1, 2]), [0, 2]).shape; // => [1, 2, 1]
 * ```
 */
export const expandDims: ExpandDims = dual(2, (x: Tensor, axis: Axes) => {
  const node = nodeFor('expandDims', x);
  const { shape } = node;
  if (!Array.isArray(axis))
    return wrap(b.reshape(node, { shape: shape.toSpliced(newAxis('expandDims', axis as number, shape), 0, 1) }));
  const rank = shape.length + axis.length;
  const added = normalizeAxes('expandDims', axis, new Array<number>(rank).fill(1));
  const lengths = [...shape];
  return wrap(
    reshapeNode(
      node,
      range(rank).map(at => (added.includes(at) ? 1 : lengths.shift()!)),
    ),
  );
});
