/** Control flow as values: fold, scan, whileLoop, cond. The loop is one node; nothing is unrolled. */

import { sameForm } from '../../tree/tree.js';
import { b } from '../build.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { checkSetting, isWeakNumber } from '../ops/operands.js';
import { checkCarries } from '../primitives/loops.js';
import { results } from '../primitives/results.js';
import { type Aval, showAval } from '../shape.js';
import { type Tensor, wrap } from '../tensor.js';
import { checkFunction, type Leaves, leavesOf } from './arguments.js';
import { inline, trace } from './trace.js';

const avalOf = ({ shape, dtype }: Aval): Aval => ({ shape, dtype });

interface Sequences {
  readonly length: number;
  readonly nodes: readonly Node[];
  readonly element: (slices: readonly Node[]) => unknown;
}

/** What a loop runs over: a tree of tensors with one first axis, or a number of steps (then each gets its index). */
const sequencesOf = (operation: string, xs: unknown): Sequences => {
  if (typeof xs === 'number') {
    if (!Number.isSafeInteger(xs) || xs < 0) {
      throw new ArgumentError({
        operation,
        given: `${xs} steps`,
        rule: 'the number of steps is a non-negative integer',
        hint: 'Round it, or pass a tensor to run over its first axis.',
      });
    }
    const index = b.iota({ shape: [xs], dtype: 'int32', axis: 0 });
    return { length: xs, nodes: [index], element: ([i]) => wrap(i!) };
  }
  if (isWeakNumber(xs)) checkSetting(operation, 'the number of steps', xs);
  const leaves = leavesOf(operation, xs);
  const lengths = leaves.nodes.map(node => node.shape[0]);
  if (lengths.length === 0 || lengths[0] === undefined || lengths.some(length => length !== lengths[0])) {
    throw new ShapeError({
      operation,
      given: lengths.length === 0 ? 'no sequence' : leaves.nodes.map(showAval).join(' and '),
      rule: 'the sequences must have a first axis of one length',
      hint: 'Pass a number of steps to run without sequences.',
    });
  }
  return { length: lengths[0], nodes: leaves.nodes, element: leaves.rebuild };
};

/** Traces a step, runs the loop. */
const loop = (
  operation: string,
  step: (carry: unknown, x: unknown) => readonly [unknown, unknown],
  init: unknown,
  xs: unknown,
  { reverse = false }: FoldOptions,
): readonly [unknown, unknown] => {
  checkSetting(operation, 'reverse', reverse);
  const first = leavesOf(operation, init);
  const sequences = sequencesOf(operation, xs);
  let ys: Leaves | undefined;
  const elements = sequences.nodes.map(({ shape, dtype }) => ({ shape: shape.slice(1), dtype }));
  const { graph, captures } = trace(operation, [...first.nodes.map(avalOf), ...elements], parameters => {
    const carry = first.rebuild(parameters.slice(0, first.nodes.length));
    const [next, y] = step(carry, sequences.element(parameters.slice(first.nodes.length)));
    const after = leavesOf(operation, next);
    sameForm(operation, first.flat, after.flat);
    checkCarries(operation, first.nodes, after.nodes);
    ys = leavesOf(operation, y);
    return [...after.nodes, ...ys.nodes];
  });
  const carries = first.nodes.length;
  const node = b.fold([...captures, ...first.nodes, ...sequences.nodes], {
    body: graph,
    length: sequences.length,
    captures: captures.length,
    carries,
    reverse,
  });
  const outputs = results(b, node);
  return [first.rebuild(outputs.slice(0, carries)), ys!.rebuild(outputs.slice(carries))];
};

/** Options of {@link fold} and {@link scan}. */
export interface FoldOptions {
  /** Run over the sequences from the last element to the first. */
  readonly reverse?: boolean;
}

/**
 * The loop as a value: `carry = step(carry, x)` for every x along the first axis of `xs`.
 *
 * `step` is called once, on placeholders: the loop is one node of the graph, however long it is.
 *
 * @param step takes the carry (a tree of tensors) and one element of `xs`, returns the next carry of the same form
 * @returns a function of the first carry and `xs`: a tree of tensors with one first axis, or a number of steps,
 *   when each step gets its index as an int32 scalar
 * @throws ShapeError when the step changes the carry's shape or dtype, or sequences differ in length
 * @example
 * ```js
 * import { add, fold, mul, tensor } from 'tenfold';
 * fold((total, x) => add(total, x))(tensor(0), tensor([1, 2, 3])).item(); // => 6
 * fold(x => mul(x, 2))(tensor(1), 10).item(); // => 1024
 * ```
 */
export const fold =
  <C = Tensor, X = Tensor>(step: (carry: C, x: X) => C, options: FoldOptions = {}) =>
  (init: C, xs: X | number): C => {
    checkFunction('fold', step);
    const [carry] = loop('fold', (c, x) => [step(c as C, x as X), null], init, xs, options);
    return carry as C;
  };

/**
 * As {@link fold}, with a result for every step: `[carry, y] = step(carry, x)`; the ys come back stacked along a
 * new first axis.
 *
 * @returns a function of the first carry and `xs`, giving `[last carry, stacked ys]`
 * @throws ShapeError when the step changes the carry's shape or dtype, or sequences differ in length
 * @example
 * ```js
 * import { add, scan, tensor } from 'tenfold';
 * const [total, sums] = scan((t, x) => [add(t, x), add(t, x)])(tensor(0), tensor([1, 2, 3]));
 * sums.toArray(); // => [1, 3, 6]
 * ```
 */
export const scan =
  <C = Tensor, Y = Tensor, X = Tensor>(step: (carry: C, x: X) => readonly [C, Y], options: FoldOptions = {}) =>
  (init: C, xs: X | number): readonly [carry: C, ys: Y] => {
    checkFunction('scan', step);
    const result = loop('scan', (c, x) => step(c as C, x as X), init, xs, options);
    return Object.freeze(result) as readonly [C, Y];
  };

/** The test of a loop or branch: one bool. */
const checkPredicate = (operation: string, { nodes }: Leaves): Node => {
  const node = nodes[0];
  if (nodes.length === 1 && node !== undefined && node.dtype === 'bool' && node.shape.length === 0) return node;
  throw new DTypeError({
    operation,
    given: `a condition of ${nodes.map(showAval).join(', ')}`,
    rule: 'the condition is one bool scalar',
    hint: 'Compare with less(), equal(), …, and reduce with all() or any().',
  });
};

/**
 * `carry = step(carry)` as long as `test(carry)` holds. Has forward derivatives, no reverse ones: the number of
 * steps is not known beforehand.
 *
 * @param test gives a bool scalar
 * @param step returns a carry of the same form
 * @throws DTypeError when the test gives no bool scalar
 * @throws ShapeError when the step changes the carry's shape or dtype
 * @example
 * ```js
 * import { less, mul, tensor, whileLoop } from 'tenfold';
 * whileLoop(x => less(x, 100), x => mul(x, 2))(tensor(3)).item(); // => 192
 * ```
 */
export const whileLoop =
  <C = Tensor>(test: (carry: C) => Tensor, step: (carry: C) => C) =>
  (init: C): C => {
    checkFunction('whileLoop', test);
    checkFunction('whileLoop', step);
    const first = leavesOf('whileLoop', init);
    const avals = first.nodes.map(avalOf);
    const tested = trace('whileLoop', avals, parameters => [
      checkPredicate('whileLoop', leavesOf('whileLoop', test(first.rebuild(parameters) as C))),
    ]);
    const stepped = trace('whileLoop', avals, parameters => {
      const after = leavesOf('whileLoop', step(first.rebuild(parameters) as C));
      sameForm('whileLoop', first.flat, after.flat);
      checkCarries('whileLoop', first.nodes, after.nodes);
      return after.nodes;
    });
    const node = b.while([...tested.captures, ...stepped.captures, ...first.nodes], {
      test: tested.graph,
      body: stepped.graph,
      testCaptures: tested.captures.length,
      bodyCaptures: stepped.captures.length,
    });
    return first.rebuild(results(b, node)) as C;
  };

/**
 * `ifTrue(...operands)` or `ifFalse(...operands)`; only the branch taken is computed.
 *
 * @param predicate a bool scalar
 * @returns a function of the operands (trees of tensors); both branches must return the same form
 * @throws DTypeError when the predicate is no bool scalar
 * @throws TreeError, ArgumentError when the branches return different forms, shapes or dtypes
 * @example
 * ```js
 * import { cond, greater, mul, neg, tensor } from 'tenfold';
 * const x = tensor(-3);
 * cond(greater(x, 0), y => mul(y, 2), y => neg(y))(x).item(); // => 3
 * ```
 */
export const cond =
  <A extends readonly unknown[], R>(predicate: Tensor, ifTrue: (...operands: A) => R, ifFalse: (...operands: A) => R) =>
  (...operands: A): R => {
    checkFunction('cond', ifTrue);
    checkFunction('cond', ifFalse);
    const chosen = checkPredicate('cond', leavesOf('cond', predicate));
    const given = leavesOf('cond', operands);
    const avals = given.nodes.map(avalOf);
    const forms: Leaves[] = [];
    const [no, yes] = [ifFalse, ifTrue].map(branch =>
      trace('cond', avals, parameters => {
        const result = leavesOf('cond', branch(...(given.rebuild(parameters) as A)));
        forms.push(result);
        return result.nodes;
      }),
    );
    sameForm('cond', forms[0]!.flat, forms[1]!.flat);
    // Both branches take the captures of both, so that they are functions of the same operands.
    const captures = [...no!.captures, ...yes!.captures];
    const widen = (traced: typeof no, from: number) =>
      trace('cond', [...captures.map(avalOf), ...avals], parameters => {
        const own = parameters.slice(from, from + traced!.captures.length);
        return inline(traced!.graph, [...own, ...parameters.slice(captures.length)]);
      }).graph;
    const index = b.cast(chosen, { dtype: 'int32' });
    const node = b.cond([index, ...captures, ...given.nodes], {
      branches: [widen(no, 0), widen(yes, no!.captures.length)],
    });
    return forms[0]!.rebuild(results(b, node)) as R;
  };
