/** Which leaves a transform is for: groups of parameters with optimizers of their own, and weight decay with a mask. */
import { ArgumentError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { add, mul } from '../tensor/ops/elementwise/arithmetic.js';
import { checkArgument } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type LeafPattern, matcherOf } from '../tree/patterns.js';
import { showPath } from '../tree/tree.js';
import { type Places, placesOf } from './leaves.js';
import { checkTransform, type GradientTransform, refuseState, updateBy } from './transform.js';

/** Options of {@link weightDecay}. */
export interface WeightDecayOptions {
  /** The leaves that decay; all, if left out. */
  readonly mask?: LeafPattern;
}

/**
 * Adds a multiple of the parameters to the updates: before an optimizer an L2 penalty, between its rule and the learning
 * rate decoupled decay.
 *
 * @param options the leaves that decay, `mask`: a pattern of paths (see {@link multiTransform}), or a function of path and leaf
 * @throws ArgumentError for a rate below 0, for what is no mask and unknown options; its update, TreeError when updates and
 *   parameters differ in form or have a leaf that is no tensor, DTypeError for one that is no float, ShapeError
 * @numpy optax.add_decayed_weights
 * @pytorch —
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { chain, scaleByAdam, scaleByLearningRate, weightDecay } from 'tenfold/optim';
 * const isMatrix = (path, leaf) => leaf.shape.length > 1;
 * const adamw = chain(scaleByAdam(), weightDecay(0.5, { mask: isMatrix }), scaleByLearningRate(0.1));
 * const params = { weight: tensor([[2]]), bias: tensor([2]) };
 * const [{ weight, bias }] = adamw.update(params, adamw.init(params), params);
 * weight.toArray(); // => [[-0.2]]
 * bias.toArray(); // => [-0.1]
 * ```
 */
export const weightDecay = (rate: number, options?: WeightDecayOptions): GradientTransform<null> => {
  checkNumber('weightDecay', 'the rate', rate, 'notNegative');
  checkOptions('weightDecay', ['mask'], options);
  const isMeant = matcherOf('weightDecay', options?.mask === undefined ? '**' : options.mask);
  return Object.freeze({
    init: () => null,
    update: <P>(updates: P, _state: null, params: P) => {
      const { leaves, paths, unflatten } = placesOf('weightDecay', [updates, params]);
      const decayed = leaves.map(([u, p], i) => (isMeant(paths[i]!, p!) ? (add(u!, mul(p!, rate)) as Tensor) : u!));
      return Object.freeze([unflatten(decayed), null] as const);
    },
  });
};

/** One group of {@link multiTransform}. */
export type TransformGroup = readonly [leaves: LeafPattern, transform: GradientTransform];

/**
 * Groups of parameters, each with an optimizer of its own: other learning rates, other decays, or `scale(0)` for parameters
 * that stay as they are. A leaf belongs to the first group that it fits. The state is the array of the states of the groups.
 *
 * A pattern has a part for each step of the path of a leaf, with dots between: `blocks.0.weight`. In a part `*` stands for
 * any letters; a part `**` stands for any number of steps, also none: `**.bias` are all leaves named bias, and `**` are all.
 * A key with dots in it is as many steps as it has parts.
 *
 * @param groups pairs of a pattern (or a function of path and leaf) and a transform
 * @throws ArgumentError for what is no such pair, and its functions for a leaf that fits none and for a state that is none
 *   of its own; TreeError when updates and parameters differ in form or have a leaf that is no tensor, ShapeError, DTypeError
 * @numpy optax.multi_transform
 * @pytorch —
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { multiTransform, sgd } from 'tenfold/optim';
 * const optimizer = multiTransform([['head.*', sgd(0.5)], ['**', sgd(0.1)]]);
 * const params = { body: tensor([10]), head: { weight: tensor([10]) } };
 * const [updates] = optimizer.update(params, optimizer.init(params), params);
 * updates; // => { body: [-1], head: { weight: [-5] } }
 * ```
 */
export const multiTransform = (groups: readonly TransformGroup[]): GradientTransform<readonly unknown[]> => {
  const operation = 'multiTransform';
  checkArgument(
    Array.isArray(groups) && groups.every(group => Array.isArray(group) && group.length === 2),
    operation,
    `${kindOf(groups)} as the groups`,
    'groups are pairs of a pattern and a transform',
    "Write [['**.bias', sgd(0.1)], ['**', adam(1e-3)]].",
  );
  const matchers = groups.map(([pattern]) => matcherOf(operation, pattern));
  for (const [, transform] of groups) checkTransform(operation, transform);
  /** The group of each leaf; the paths are those of the parameters. */
  const groupsOf = ({ leaves, paths }: Places<unknown>): readonly number[] =>
    leaves.map((here, i) => {
      const group = matchers.findIndex(isMeant => isMeant(paths[i]!, here[here.length - 1]!));
      if (group >= 0) return group;
      throw new ArgumentError({
        operation,
        given: `a leaf at ${showPath(paths[i]!)} that fits no group`,
        rule: 'every leaf belongs to a group',
        hint: "End with a group for the rest: ['**', scale(0)].",
      });
    });
  /** Trees of the leaves of one group, with null in the other places: these keep their paths. */
  const partOf = <P>({ leaves, unflatten }: Places<P>, groupOf: readonly number[], group: number, tree: number): P =>
    unflatten(leaves.map((here, i) => (groupOf[i] === group ? here[tree]! : (null as unknown as Tensor))));
  return Object.freeze({
    init: <P>(params: P) => {
      const places = placesOf(operation, [params]);
      const groupOf = groupsOf(places);
      return Object.freeze(groups.map(([, transform], group) => transform.init(partOf(places, groupOf, group, 0))));
    },
    update: <P>(updates: P, state: readonly unknown[], params: P) => {
      if (!Array.isArray(state) || state.length !== groups.length) return refuseState(operation, state);
      const places = placesOf(operation, [updates, params]);
      const groupOf = groupsOf(places);
      const results = groups.map(([, transform], group) => {
        const [given, own] = [0, 1].map(tree => partOf(places, groupOf, group, tree)) as [P, P];
        const [after, next] = updateBy(operation, transform, given, state[group], own);
        return [placesOf(operation, [given, after]).leaves.map(([, leaf]) => leaf!), next] as const;
      });
      const parts = results.map(([part]) => part);
      const next = parts.map(() => 0);
      const merged = groupOf.map(group => parts[group]![next[group]!++]!);
      return Object.freeze([places.unflatten(merged), Object.freeze(results.map(([, own]) => own))] as const);
    },
  });
};
