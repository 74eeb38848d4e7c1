/** Branches as values: cond, switchOn. */

import { sameForm } from '../../tree/tree.js';
import { b } from '../build.js';
import { ArgumentError, DTypeError } from '../errors.js';
import type { Node } from '../graph.js';
import { results } from '../primitives/results.js';
import { checkBranches } from '../primitives/structured.js';
import { type Aval, showAval } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { checkFunction, type Leaves, leavesOf } from './arguments.js';
import { inline, trace } from './trace.js';

const avalOf = ({ shape, dtype }: Aval): Aval => ({ shape, dtype });

const shown = (nodes: readonly Node[]): string => (nodes.length === 0 ? 'nothing' : nodes.map(showAval).join(', '));

/**
 * The test of a loop or branch.
 *
 * @throws DTypeError unless it is one bool
 */
export const checkPredicate = (operation: string, { nodes }: Leaves): Node => {
  const node = nodes[0];
  if (nodes.length === 1 && node !== undefined && node.dtype === 'bool' && node.shape.length === 0) return node;
  throw new DTypeError({
    operation,
    given: `a condition of ${shown(nodes)}`,
    rule: 'the condition is one bool scalar',
    hint: 'Compare with less(), equal(), …, and reduce with all() or any().',
  });
};

type Branch = (...operands: readonly unknown[]) => unknown;

/** The branch at the index (clamped) applied to the operands. */
const choose = (operation: string, index: Node, branches: readonly Branch[], operands: readonly unknown[]): unknown => {
  const given = leavesOf(operation, operands);
  const avals = given.nodes.map(avalOf);
  const forms: Leaves[] = [];
  const traced = branches.map(branch =>
    trace(
      operation,
      avals,
      parameters => {
        const result = leavesOf(operation, branch(...(given.rebuild(parameters) as readonly unknown[])));
        forms.push(result);
        return result.nodes;
      },
      'earlier',
    ),
  );
  for (const form of forms.slice(1)) sameForm(operation, forms[0]!.flat, form.flat);
  // All branches take the captures of all, so that they are functions of the same operands.
  const captures = [...new Set(traced.flatMap(each => each.captures))];
  const wide = [...captures.map(avalOf), ...avals];
  const widened = traced.map(each => {
    const own = each.captures.map(capture => captures.indexOf(capture));
    const body = (parameters: readonly Node[]): readonly Node[] =>
      inline(each.graph, [...own.map(i => parameters[i]!), ...parameters.slice(captures.length)]);
    return trace(operation, wide, body, 'known').graph;
  });
  checkBranches(operation, widened);
  const node = b.cond([index, ...captures, ...given.nodes], { branches: widened });
  return forms[0]!.rebuild(results(b, node));
};

/**
 * `ifTrue(...operands)` or `ifFalse(...operands)`; only the branch taken is computed. Of {@link switchOn} the case of two.
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
    const index = b.cast(chosen, { dtype: 'int32' });
    return choose('cond', index, [ifFalse as Branch, ifTrue as Branch], operands) as R;
  };

/**
 * `branches[index](...operands)`; only the branch taken is computed. An index below 0 takes the first, one beyond the end
 * the last. Under `vmap` with an index for each example all branches are computed, and each example gets its own.
 *
 * @param index an int32 scalar
 * @param branches at least one
 * @returns a function of the operands (trees of tensors); all branches must return the same form
 * @throws DTypeError when the index is no int32 scalar
 * @throws ArgumentError when there is no branch or one is no function
 * @throws TreeError, ArgumentError when the branches return different forms, shapes or dtypes
 * @example
 * ```js
 * import { mul, neg, square, switchOn, tensor } from 'tenfold';
 * const branches = [x => neg(x), x => square(x), x => mul(x, 10)];
 * switchOn(tensor(1, { dtype: 'int32' }), branches)(tensor(3)).item(); // => 9
 * switchOn(tensor(99, { dtype: 'int32' }), branches)(tensor(3)).item(); // => 30
 * ```
 */
export const switchOn =
  <A extends readonly unknown[], R>(index: Tensor, branches: readonly ((...operands: A) => R)[]) =>
  (...operands: A): R => {
    if (!Array.isArray(branches) || branches.length === 0) {
      throw new ArgumentError({
        operation: 'switchOn',
        given: Array.isArray(branches) ? 'no branches' : `${typeof branches} ${String(branches)} as branches`,
        rule: 'there is a list of at least one branch to choose from',
        hint: 'Write switchOn(index, [f, g, …])(x).',
      });
    }
    for (const branch of branches) checkFunction('switchOn', branch);
    const { nodes } = leavesOf('switchOn', index);
    const [at] = nodes;
    if (nodes.length !== 1 || at === undefined || at.dtype !== 'int32' || at.shape.length > 0) {
      throw new DTypeError({
        operation: 'switchOn',
        given: `an index of ${shown(nodes)}`,
        rule: 'the index is one int32 scalar',
        hint: "Reduce it to one element and cast(index, 'int32').",
      });
    }
    return choose('switchOn', at, branches as readonly Branch[], operands) as R;
  };
