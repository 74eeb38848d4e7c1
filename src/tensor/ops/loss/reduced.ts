/** What losses have in common: how they are reduced, what fits together, and checks of their settings. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ArgumentError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import {
  broadcastShapes,
  checkArgument,
  range,
  type Shape,
  sameShape,
  showAval,
  showShape,
  sizeOf,
} from '../../shape.js';
import type { Floating, Ok, Promote } from '../../shape-types.js';
import { isTensor, type Tensor, wrap } from '../../tensor.js';
import type { Alike } from '../../types/alike.js';
import type { NotAny, Only } from '../../types/known.js';
import { kindOf, sameDType, showAll } from '../common/checks.js';
import { broadcastNode, castNode, checkSetting, commonOperands, nodeFor, unaryOperand } from '../common/operands.js';
import { dualOfSeveral } from '../common/options.js';

/** What becomes of the losses of the elements: they stay as they are, or their mean or sum is taken. */
export type LossReduction = 'none' | 'mean' | 'sum';

/** What every loss takes beside its tensors. */
export interface LossOptions<R extends string = LossReduction> {
  /** 'mean', the default; 'sum'; or 'none' for the losses themselves. */
  readonly reduction?: R;
}

/** The shape of a loss, that of the losses of the elements being `S`. */
export type LossShape<S extends Shape, R extends string> = [R] extends ['none']
  ? S
  : 'none' extends R
    ? Shape
    : readonly [];

/** A loss of a tensor and a target of its shape (or a number), data-first and data-last. */
export interface PairLoss<Op extends string, Extra = unknown, Reductions extends string = LossReduction> {
  <
    T extends Shape = readonly [],
    E extends DType = 'bool',
    R extends Reductions = 'mean' & Reductions,
    const O extends Only<LossOptions<string> & Extra, O> = LossOptions<string> & Extra & Record<never, never>,
  >(
    target: (Tensor<T, E> | number) & NotAny<O>,
    options?: LossOptions<R> & Extra & O,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<Alike<Op, S, T>>,
  ) => Tensor<LossShape<S, R>, Floating<Promote<D, E>>>;
  <
    S extends Shape,
    D extends DType,
    T extends Shape = readonly [],
    E extends DType = D,
    R extends Reductions = 'mean' & Reductions,
  >(
    x: Tensor<S, D>,
    target: (Tensor<T, E> & Ok<Alike<Op, S, T>>) | number,
    options?: LossOptions<R> & Extra,
  ): Tensor<LossShape<S, R>, Floating<Promote<D, E>>>;
}

/** A loss of two tensors of one shape and a third one, data-first and data-last. */
export interface TripleLoss<Op extends string, Extra = unknown> {
  <
    T extends Shape = readonly [],
    E extends DType = 'bool',
    F extends DType = 'bool',
    R extends LossReduction = 'mean',
    const O extends Only<LossOptions<string> & Extra, O> = LossOptions<string> & Extra & Record<never, never>,
  >(
    y: (Tensor<T, E> | number) & NotAny<O>,
    z: Tensor<Shape, F> | number,
    options?: LossOptions<R> & Extra & O,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<Alike<Op, S, T>>,
  ) => Tensor<LossShape<S, R>, Floating<Promote<Promote<D, E>, F>>>;
  <
    S extends Shape,
    D extends DType,
    T extends Shape = readonly [],
    E extends DType = D,
    F extends DType = D,
    R extends LossReduction = 'mean',
  >(
    x: Tensor<S, D>,
    y: (Tensor<T, E> & Ok<Alike<Op, S, T>>) | number,
    z: Tensor<Shape, F> | number,
    options?: LossOptions<R> & Extra,
  ): Tensor<LossShape<S, R>, Floating<Promote<Promote<D, E>, F>>>;
}

const usual: readonly string[] = ['none', 'mean', 'sum'];

/**
 * Reduces the losses of elements.
 *
 * @param divisor what the mean divides the sum by, a scalar; the number of elements where left out
 * @throws ArgumentError for another word
 */
export const reduceLoss = (
  operation: string,
  x: Node,
  reduction: unknown = 'mean',
  { divisor, words = usual }: { readonly divisor?: Node; readonly words?: readonly string[] } = {},
): Node => {
  checkSetting(operation, 'reduction', reduction);
  checkArgument(
    words.includes(reduction as string),
    operation,
    `${kindOf(reduction)} as reduction`,
    `reduction is one of ${words.map(word => `'${word}'`).join(', ')}`,
    "Leave it out for the mean, or write { reduction: 'none' }.",
  );
  if (reduction === 'none') return x;
  const sum = b.sum(x, { axes: range(x.shape.length) });
  if (reduction === 'sum') return sum;
  if (reduction === 'mean') return b.div(sum, divisor ?? full(b, sum, sizeOf(x.shape)));
  if (x.shape.length > 0) return b.div(sum, full(b, sum, x.shape[0]!));
  throw new ShapeError({
    operation,
    given: `${showAval(x)} and the reduction '${reduction}'`,
    rule: 'its first axis counts the batch, and a scalar has none',
    hint: "Use 'sum'.",
  });
};

/**
 * A loss, data-first and data-last.
 *
 * @param count how many arguments there are before the options
 * @param names its options beside `reduction`
 * @param build the losses of the elements
 */
export const loss = <F>(
  operation: string,
  count: number,
  names: readonly string[],
  build: (operands: readonly unknown[], options: never) => Node,
  words: readonly string[] = usual,
): F =>
  dualOfSeveral(operation, count, ['reduction', ...names], (...args: unknown[]) => {
    const options = (args[count] ?? {}) as LossOptions;
    const operands = range(count).map(i => args[i]);
    return wrap(reduceLoss(operation, build(operands, options as never), options.reduction, { words }));
  });

/**
 * Operands of one shape and dtype, integers as float32. Numbers and scalars stand for a tensor of the first's shape;
 * nothing else broadcasts: [n] beside [n, 1] would be n² losses, and hardly ever what was meant.
 *
 * @throws ShapeError, DTypeError, ArgumentError
 */
export const alike = (operation: string, operands: readonly unknown[]): Node[] => {
  const first = nodeFor(operation, operands[0]);
  const nodes = operands.map(x => (typeof x === 'number' ? first : nodeFor(operation, x)));
  if (nodes.some(({ shape }) => shape.length > 0 && !sameShape(shape, first.shape))) {
    throw new ShapeError({
      operation,
      given: showAll(nodes),
      rule: 'the shapes must be equal, a scalar apart',
      hint: 'Use reshape, or broadcastTo where you want one to be repeated.',
    });
  }
  return commonOperands(operation, operands, { toFloat: true });
};

/** The first two operands as {@link alike} has them, in the dtype in which they meet a third of whatever shape. */
export const alikeBeside = (operation: string, [x, y, third]: readonly unknown[]): [Node, Node] => {
  const pair = alike(operation, [x, y]);
  const all = isTensor(third) ? [...pair, unaryOperand(operation, third, { toFloat: true })] : pair;
  return sameDType(operation, all) as [Node, Node];
};

/**
 * A tensor or number of an option, spread over `like` and in its dtype.
 *
 * @throws ShapeError when it does not broadcast to that shape
 */
export const spreadOption = (operation: string, what: string, value: unknown, like: Node): Node => {
  if (typeof value === 'number') return full(b, like, value);
  if (!isTensor(value)) {
    throw new ArgumentError({
      operation,
      given: `${kindOf(value)} as ${what}`,
      rule: `${what} is a tensor or a number`,
      hint: 'Make a tensor with tensor([…]).',
    });
  }
  const node = nodeFor(operation, value);
  if (!sameShape(broadcastShapes(operation, like.shape, node.shape), like.shape)) {
    throw new ShapeError({
      operation,
      given: `${showAval(node)} as ${what} beside ${showShape(like.shape)}`,
      rule: `${what} must broadcast to that shape`,
      hint: 'Use reshape to line the axes up.',
    });
  }
  return broadcastNode(castNode(node, like.dtype), like.shape);
};

/**
 * log(1 + eˣ) and log(1 + e⁻ˣ). At 0 everything is the branch of x ≥ 0, so that derivatives of every order are right
 * there, which those of |x| are not.
 */
export const softplusBoth = (x: Node): readonly [Node, Node] => {
  const [zero, opposite] = [full(b, x, 0), b.neg(x)];
  const above = b.ge(x, zero);
  const rest = b.log1p(b.exp(b.select(above, opposite, x)));
  return [b.add(b.select(above, x, zero), rest), b.add(b.select(above, zero, opposite), rest)];
};
