/** Losses of classification: what is said of classes beside those that are. */
import { b } from '../../build.js';
import { type DType, type IndexDType, isFloat, isInteger } from '../../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { unreduce } from '../../primitives/reduction.js';
import { checkArgument, checkInteger, type Shape, sameShape, showAval, showShape } from '../../shape.js';
import type { Fit, Floating, Ok, Promote } from '../../shape-types.js';
import { nodeOf, type Tensor, wrap } from '../../tensor.js';
import type { NotAny, Only } from '../../types/known.js';
import type { ClassLosses } from '../../types/losses.js';
import { kindOf, sameDType } from '../common/checks.js';
import { checkNumber, plus, times } from '../common/numbers.js';
import { castNode, nodeFor, unaryOperand } from '../common/operands.js';
import { dualOfSeveral } from '../common/options.js';
import { logSoftmax } from '../reduction/softmax.js';
import {
  alike,
  type LossOptions,
  type LossReduction,
  type LossShape,
  loss,
  type PairLoss,
  reduceLoss,
  softplusBoth,
  spreadOption,
} from './reduced.js';

/** What {@link bce} takes beside the reduction. */
export interface BceOptions {
  /** A factor for the losses; broadcasts to the shape of `x`. */
  readonly weight?: Tensor | number;
}

/** What {@link bceWithLogits} takes beside the reduction. */
export interface BceWithLogitsOptions extends BceOptions {
  /** A factor for the part of the targets that are 1; broadcasts to the shape of `x`. Above 1 it favours recall. */
  readonly posWeight?: Tensor | number;
}

/** What {@link nllLoss} takes beside the reduction. */
export interface NllOptions {
  /** A factor for each class, `[classes]`. The mean is weighted by them. */
  readonly weight?: Tensor;
  /** The target that stands for "no class": it counts neither in the sum nor in the mean. Default −100. */
  readonly ignoreIndex?: number;
}

/** What {@link crossEntropy} takes beside the reduction. */
export interface CrossEntropyOptions extends NllOptions {
  /** The share of the target that is spread evenly over all classes, from 0, the default, to 1. */
  readonly labelSmoothing?: number;
}

/** The signatures of {@link crossEntropy} and {@link nllLoss}, by what their targets may be. */
export interface ClassLoss<Op extends string, Target extends DType, Extra> {
  <
    T extends Shape,
    E extends Target,
    R extends LossReduction = 'mean',
    const O extends Only<LossOptions<string> & Extra, O> = LossOptions<string> & Extra & Record<never, never>,
  >(
    target: Tensor<T, E> & NotAny<O>,
    options?: LossOptions<R> & Extra & O,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<ClassLosses<Op, S, T, E>>,
  ) => Tensor<LossShape<Fit<ClassLosses<Op, S, T, E>>, R>, Floating<Promote<D, E>>>;
  <S extends Shape, D extends DType, T extends Shape, E extends Target, R extends LossReduction = 'mean'>(
    x: Tensor<S, D>,
    target: Tensor<T, E> & Ok<ClassLosses<Op, S, T, E>>,
    options?: LossOptions<R> & Extra,
  ): Tensor<LossShape<Fit<ClassLosses<Op, S, T, E>>, R>, Floating<Promote<D, E>>>;
}

/** Logarithms below this are taken for this. */
const lowest = -100;

/** A product of probabilities below this counts as this in the derivative, as in PyTorch. */
const edge = 1e-12;

/**
 * The binary cross-entropy of probabilities, `−(t · log x + (1 − t) · log(1 − x))`. Logarithms are at least −100, and
 * the derivative is `(x − t) / max(x · (1 − x), 10⁻¹²)`, so that both are finite at 0 and 1. {@link bceWithLogits} needs
 * neither.
 *
 * @param target of the shape of `x`, from 0 to 1, or a scalar or number
 * @param options `weight`: a factor for each loss; `reduction`: 'mean', the default, 'sum' or 'none'
 * @returns a scalar, or with 'none' the shape of `x`; the promoted dtype, integers as float32; NaN where `x` is below 0
 *   or above 1
 * @throws ShapeError when the shapes differ, or the weight does not broadcast
 * @throws DTypeError for uint8
 * @throws ArgumentError when an argument is no tensor, an option unknown or its value wrong
 * @numpy —
 * @pytorch torch.nn.functional.binary_cross_entropy
 * @example
 * ```js
 * import { bce, tensor } from 'tenfold';
 * bce(tensor([0.5, 0]), tensor([1, 1]), { reduction: 'none' }).toArray(); // => [0.6931472, 100]
 * ```
 */
export const bce: PairLoss<'bce', BceOptions> = loss('bce', 2, ['weight'], (operands, { weight }: BceOptions) => {
  const [x, t] = alike('bce', operands) as [Node, Node];
  const one = full(b, x, 1);
  const atEdge = b.lt(b.mul(x, b.sub(one, x)), full(b, x, edge));
  const inner = b.select(atEdge, b.stopGradient(x), x);
  const log = (at: number, f: (y: Node) => Node): Node => {
    // Below e⁻¹⁰⁰ there are only 0 and, in float32, numbers without all of their digits.
    const dead = b.le(b.abs(plus(inner, -at)), full(b, x, Math.exp(lowest)));
    return b.select(dead, full(b, x, lowest), f(b.select(dead, full(b, x, 1 - at), inner)));
  };
  const entropy = b.add(
    b.mul(t, log(0, b.log)),
    b.mul(
      b.sub(one, t),
      log(1, y => b.log1p(b.neg(y))),
    ),
  );
  // At the edges the losses do not depend on x; added is what has the value 0 and the derivative wanted.
  const slope = times(b.mul(x, b.sub(times(x, 0.5), b.stopGradient(t))), 1 / edge);
  const added = b.select(atEdge, b.sub(slope, b.stopGradient(slope)), full(b, x, 0));
  return weighted('bce', b.sub(added, entropy), weight);
});

const weighted = (operation: string, losses: Node, weight: unknown): Node =>
  weight === undefined ? losses : b.mul(losses, spreadOption(operation, 'weight', weight, losses));

/**
 * The binary cross-entropy of `sigmoid(x)`, from the logits: `p · t · log(1 + e⁻ˣ) + (1 − t) · log(1 + eˣ)` with the
 * positive weight `p`. No logit overflows it or costs it digits.
 *
 * @param target of the shape of `x`, from 0 to 1, or a scalar or number
 * @param options `weight`: a factor for each loss; `posWeight`: a factor for the part of targets 1; `reduction`: 'mean',
 *   the default, 'sum' or 'none'
 * @returns a scalar, or with 'none' the shape of `x`; the promoted dtype, integers as float32
 * @throws ShapeError, DTypeError, ArgumentError as {@link bce}
 * @numpy —
 * @pytorch torch.nn.functional.binary_cross_entropy_with_logits
 * @example
 * ```js
 * import { bceWithLogits, tensor } from 'tenfold';
 * bceWithLogits(tensor([0, 1000]), tensor([1, 0]), { reduction: 'none' }).toArray(); // => [0.6931472, 1000]
 * bceWithLogits(tensor([0, 0]), tensor([1, 0]), { posWeight: 3 }).item(); // => 1.3862944
 * ```
 */
export const bceWithLogits: PairLoss<'bceWithLogits', BceWithLogitsOptions> = loss(
  'bceWithLogits',
  2,
  ['weight', 'posWeight'],
  (operands, { weight, posWeight }: BceWithLogitsOptions) => {
    const [x, t] = alike('bceWithLogits', operands) as [Node, Node];
    const [negative, positive] = softplusBoth(x);
    const share = posWeight === undefined ? t : b.mul(t, spreadOption('bceWithLogits', 'posWeight', posWeight, x));
    const losses = b.add(b.mul(share, positive), b.mul(b.sub(full(b, t, 1), t), negative));
    return weighted('bceWithLogits', losses, weight);
  },
);

/** The axis of the classes: the second, or the only one. */
const classAxis = (operation: string, x: Node): number => {
  if (x.shape.length > 0) return Math.min(1, x.shape.length - 1);
  throw new ShapeError({
    operation,
    given: showAval(x),
    rule: 'the classes are along axis 1, or along the only axis',
    hint: 'Give a tensor of the shape [batch, classes, …] or [classes].',
  });
};

/** The factors of the classes, spread over a tensor. */
const classWeights = (operation: string, weight: unknown, x: Node, axis: number): Node => {
  const node = nodeFor(operation, weight);
  if (sameShape(node.shape, [x.shape[axis]!])) {
    const others = x.shape.flatMap((_, i) => (i === axis ? [] : [i]));
    return unreduce(b, castNode(node, x.dtype), x, others);
  }
  throw new ShapeError({
    operation,
    given: `${showAval(x)} and the weight ${showAval(node)}`,
    rule: `the weight has one number for each of the ${x.shape[axis]} classes`,
    hint: 'It counts classes, not examples.',
  });
};

const checkTarget = (operation: string, x: Node, target: Node, shape: Shape, hint: string): void => {
  if (sameShape(target.shape, shape)) return;
  throw new ShapeError({
    operation,
    given: `${showAval(x)} and the target ${showAval(target)}`,
    rule: `beside ${showShape(x.shape)} the target has the shape ${showShape(shape)}`,
    hint,
  });
};

/** The loss of logarithms of probabilities, given positions of classes. */
const lossOfClasses = (
  operation: string,
  logs: Node,
  axis: number,
  given: Node,
  { reduction, weight, ignoreIndex = -100, labelSmoothing = 0 }: LossOptions & CrossEntropyOptions,
): Node => {
  checkInteger(operation, 'ignoreIndex', ignoreIndex, -(2 ** 31), 2 ** 31 - 1);
  const rest = logs.shape.toSpliced(axis, 1);
  checkTarget(operation, logs, given, rest, 'Indices of classes have the shape without the axis of the classes.');
  const target = castNode(given, 'int32');
  const [axes, count, zero] = [[axis], logs.shape[axis]!, full(b, logs, 0)];
  // Compared rather than gathered, so that it is done in the kernel of the softmax, and its derivative as well.
  const hit = b.eq(unreduce(b, target, logs, axes), b.iota({ shape: logs.shape, dtype: 'int32', axis }));
  const factors = weight === undefined ? undefined : classWeights(operation, weight, logs, axis);
  const terms = factors === undefined ? logs : b.mul(factors, logs);
  const even = labelSmoothing / count;
  const picked =
    labelSmoothing === 0
      ? b.select(hit, terms, zero)
      : b.mul(b.select(hit, full(b, logs, 1 - labelSmoothing + even), full(b, logs, even)), terms);
  const sums = b.neg(b.sum(picked, { axes }));
  const ignored = b.eq(target, full(b, target, ignoreIndex));
  const inside = b.and(b.ge(target, full(b, target, 0)), b.lt(target, full(b, target, count)));
  const none = full(b, sums, 0);
  const losses = b.select(ignored, none, b.select(inside, sums, full(b, sums, Number.NaN)));
  if (reduction === 'none' || reduction === 'sum') return reduceLoss(operation, losses, reduction);
  const one = full(b, sums, 1);
  const counts = b.select(ignored, none, factors ? b.sum(b.select(hit, factors, zero), { axes }) : one);
  return reduceLoss(operation, losses, reduction, { divisor: reduceLoss(operation, counts, 'sum') });
};

/** The loss of logarithms of probabilities, given probabilities. */
const lossOfProbabilities = (
  operation: string,
  logs: Node,
  axis: number,
  target: Node,
  { reduction, weight, labelSmoothing = 0 }: LossOptions & CrossEntropyOptions,
): Node => {
  const count = logs.shape[axis]!;
  const aim = labelSmoothing === 0 ? target : plus(times(target, 1 - labelSmoothing), labelSmoothing / count);
  const terms = b.mul(aim, logs);
  const all = weight === undefined ? terms : b.mul(terms, classWeights(operation, weight, logs, axis));
  return reduceLoss(operation, b.neg(b.sum(all, { axes: [axis] })), reduction);
};

const noClasses = (operation: string, target: Node, also: string): DTypeError =>
  new DTypeError({
    operation,
    given: `the target ${showAval(target)}`,
    rule: `targets are indices of classes, of int32, uint32 or uint8${also}`,
    hint: "Make them with { dtype: 'int32' }, or cast(target, 'int32').",
  });

const checkSmoothing = (labelSmoothing = 0): void => {
  checkNumber('crossEntropy', 'labelSmoothing', labelSmoothing, 'notNegative');
  checkArgument(
    labelSmoothing <= 1,
    'crossEntropy',
    `${labelSmoothing} as labelSmoothing`,
    'labelSmoothing is a share, from 0 to 1',
    'Usual is 0.1.',
  );
};

/**
 * The cross-entropy of `softmax(x)` and the target, from the logits. The classes are along axis 1 of `x`, or along its
 * only axis. Targets are either indices of classes or, in a floating tensor of the shape of `x`, probabilities.
 *
 * With the weights `w` of the classes and the smoothing `ε` the loss of an example is `−Σ w · q · logSoftmax(x)`, where
 * `q = (1 − ε) · target + ε / classes` (Szegedy et al. 2015, arXiv:1512.00567, section 7). The mean over examples given by
 * index is `Σ losses / Σ w[target]`. Nothing checks values: an index that is no class, negative ones included, makes the
 * loss NaN; `ignoreIndex` makes it 0.
 *
 * @param x logits `[batch, classes, …]` or `[classes]`
 * @param target indices of int32, uint32 or uint8 in the shape of `x` without the classes, or probabilities
 * @param options `weight`, `ignoreIndex` (for indices), `labelSmoothing`; `reduction`: 'mean', the default, 'sum' or 'none'
 * @returns a scalar, or with 'none' the shape of `x` without the classes; the floating dtype of `x`, promoted with that
 *   of probabilities
 * @throws ShapeError when the shapes do not belong together
 * @throws DTypeError for a target of bool, and logits of uint8
 * @throws IndexError when `ignoreIndex` is no integer
 * @throws ArgumentError when an argument is no tensor, an option unknown or its value wrong
 * @numpy —
 * @pytorch torch.nn.functional.cross_entropy
 * @example
 * ```js
 * import { crossEntropy, tensor } from 'tenfold';
 * import { pipe } from 'fp-ts/lib/function.js';
 * const logits = tensor([[0, Math.log(3)], [1000, 0]]);
 * const target = tensor([1, 0], { dtype: 'int32' });
 * crossEntropy(logits, target, { reduction: 'none' }).toArray(); // => [0.28768212, 0]
 * pipe(logits, crossEntropy(target, { labelSmoothing: 0.1 })).item(); // => 25.171307
 * crossEntropy(logits, tensor([[0.5, 0.5], [1, 0]]), { reduction: 'none' }).toArray(); // => [0.836988, 0]
 * crossEntropy(logits, tensor([-100, 2], { dtype: 'int32' }), { reduction: 'none' }).toArray(); // => [0, NaN]
 * ```
 */
export const crossEntropy: ClassLoss<'crossEntropy', DType, CrossEntropyOptions> = dualOfSeveral(
  'crossEntropy',
  2,
  ['reduction', 'weight', 'ignoreIndex', 'labelSmoothing'],
  (x: Tensor, target: Tensor, options: LossOptions & CrossEntropyOptions = {}) => {
    const operation = 'crossEntropy';
    const [logits, aim] = [unaryOperand(operation, x, { toFloat: true }), nodeFor(operation, target)];
    const axis = classAxis(operation, logits);
    checkSmoothing(options.labelSmoothing);
    const logs = (node: Node): Node => nodeOf(logSoftmax(wrap(node), { axis }));
    if (isInteger(aim.dtype)) return wrap(lossOfClasses(operation, logs(logits), axis, aim, options));
    if (!isFloat(aim.dtype)) throw noClasses(operation, aim, ', or probabilities of a floating dtype');
    checkTarget(operation, logits, aim, logits.shape, 'Indices of classes must be of an integer dtype.');
    if (options.ignoreIndex !== undefined) {
      throw new ArgumentError({
        operation,
        given: `probabilities as target and ${kindOf(options.ignoreIndex)} as ignoreIndex`,
        rule: 'only an index can be ignored',
        hint: 'Give probabilities of 0 where an example is not to count.',
      });
    }
    const [from, to] = sameDType(operation, [logits, aim]) as [Node, Node];
    return wrap(lossOfProbabilities(operation, logs(from), axis, to, options));
  },
);

/**
 * The negative log-likelihood of classes: `−w[target] · x[target]` for logarithms of probabilities `x`. The classes are
 * along axis 1, or along the only axis. `nllLoss(logSoftmax(x, { axis: 1 }), t)` is {@link crossEntropy}, whose words on
 * the mean and on wrong indices hold here too.
 *
 * @param x logarithms of probabilities `[batch, classes, …]` or `[classes]`
 * @param target indices of int32, uint32 or uint8 in the shape of `x` without the classes
 * @param options `weight`, `ignoreIndex`; `reduction`: 'mean', the default, 'sum' or 'none'
 * @returns a scalar, or with 'none' the shape of `x` without the classes; the dtype of `x`, integers as float32
 * @throws ShapeError, IndexError, ArgumentError as {@link crossEntropy}
 * @throws DTypeError for targets that are no indices
 * @numpy —
 * @pytorch torch.nn.functional.nll_loss
 * @example
 * ```js
 * import { nllLoss, tensor } from 'tenfold';
 * nllLoss(tensor([[-1, -2], [-3, -4]]), tensor([0, 1], { dtype: 'int32' })).item(); // => 2.5
 * ```
 */
export const nllLoss: ClassLoss<'nllLoss', IndexDType, NllOptions> = dualOfSeveral(
  'nllLoss',
  2,
  ['reduction', 'weight', 'ignoreIndex'],
  (x: Tensor, target: Tensor, options: LossOptions & NllOptions = {}) => {
    const [logs, aim] = [unaryOperand('nllLoss', x, { toFloat: true }), nodeFor('nllLoss', target)];
    if (!isInteger(aim.dtype)) throw noClasses('nllLoss', aim, '');
    return wrap(lossOfClasses('nllLoss', logs, classAxis('nllLoss', logs), aim, options));
  },
);
