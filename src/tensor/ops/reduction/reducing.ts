/** What the functions that take a tensor and options have in common. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { type Aval, normalizeAxes, type Shape, showAval, sizeOf } from '../../shape.js';
import type { Floating, Ok } from '../../shape-types.js';
import type { Tensor } from '../../tensor.js';
import type { Along } from '../../types/axes.js';
import { castNode, nodeFor, unaryOperand } from '../common/operands.js';
import { checkFlag } from '../common/options.js';

/** Which axes a reduction takes away. `Axis` and `Keep` carry the literal types from which the shape follows. */
export interface ReductionOptions<
  Axis extends number | readonly number[] | undefined = number | readonly number[] | undefined,
  Keep extends boolean = boolean,
> {
  /** One axis or several, negative ones counted from the end; all of them where left out. */
  readonly axis?: Axis;
  /** Whether the axes stay, with length 1, so that the result broadcasts against what it came from. Default false. */
  readonly keepDims?: Keep;
}

/** What may become of the dtype. */
export type ResultDType = 'same' | 'count' | 'float' | 'bool' | 'int32';

/** How the result's dtype follows: the same, counting in int32, floating, or a fixed one. */
export type ReducedDType<Result extends ResultDType, D extends DType> = {
  readonly same: D;
  readonly count: D extends 'bool' | 'uint8' ? 'int32' : D;
  readonly float: Floating<D>;
  readonly bool: 'bool';
  readonly int32: 'int32';
}[Result];

/** One axis, whose literal type tells what becomes of the shape. */
export interface OneAxis<Axis extends number> {
  /** Negative axes count from the end. */
  readonly axis?: Axis;
}

/** The signatures of functions along one axis that keep the shape. */
export interface AlongAxis<Op extends string, Result extends ResultDType, Options = unknown> {
  <S extends Shape, D extends DType, const A extends number = -1>(
    x: Tensor<S, D>,
    options?: Options & OneAxis<A> & Ok<Along<Op, S, A>>,
  ): Tensor<S, ReducedDType<Result, D>>;
  <const A extends number = -1>(
    options?: Options & OneAxis<A>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & Ok<Along<Op, S, A>>) => Tensor<S, ReducedDType<Result, D>>;
  // The last signature is the one the compiler sees in `pipe(x, softmax)` and `vmap(softmax)`.
  <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, ReducedDType<Result, D>>;
}

/** The axes that options name, counted from the start. */
export const axesOf = (operation: string, x: Node, axis: unknown): readonly number[] =>
  normalizeAxes(
    operation,
    axis === undefined || Array.isArray(axis) ? (axis as number[] | undefined) : [axis as number],
    x.shape,
  );

/** The shape with the axes still there, of length 1. */
export const keptShape = (x: Node, axes: readonly number[]): Shape =>
  x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));

/** Applies a reduction to the axes that the options name. */
export const reduceBy = (
  operation: string,
  x: Node,
  { axis, keepDims = false }: ReductionOptions,
  build: (x: Node, axes: readonly number[]) => Node,
): Node => {
  const axes = axesOf(operation, x, axis);
  checkFlag(operation, 'keepDims', keepDims);
  const y = build(x, axes);
  return keepDims ? b.reshape(y, { shape: keptShape(x, axes) }) : y;
};

/**
 * Refuses what has no answer without elements.
 *
 * @throws ShapeError when one of the axes has length 0
 */
export const refuseEmpty = (operation: string, x: Aval, axes: readonly number[]): void => {
  const empty = axes.find(axis => x.shape[axis] === 0);
  if (empty === undefined) return;
  throw new ShapeError({
    operation,
    given: `${showAval(x)} along axis ${empty}`,
    rule: 'no elements have no largest and no smallest',
    hint: 'Reduce over axes with at least one element, or concatenate a start value.',
  });
};

/** The options that all reductions take. */
export const usual: readonly string[] = ['axis', 'keepDims'];

/** bool and uint8 count in int32. */
export const counted =
  (operation: string) =>
  (x: unknown): Node => {
    const node = nodeFor(operation, x);
    return node.dtype === 'bool' || node.dtype === 'uint8' ? castNode(node, 'int32') : node;
  };

export const floats =
  (operation: string) =>
  (x: unknown): Node =>
    unaryOperand(operation, x, { toFloat: true, storage: true });

/** How many elements there are along the axes. */
export const countOf = (x: Node, axes: readonly number[]): number => sizeOf(axes.map(axis => x.shape[axis]!));

export const divided = (x: Node, by: number): Node => b.div(x, full(b, x, by));
