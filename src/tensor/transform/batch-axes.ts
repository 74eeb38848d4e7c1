/** Which axis of each leaf of a tree is the batch: an axis number for the whole tree, or a tree of them. */
import { isPlainRecord, type Path } from '../../tree/tree.js';
import { ArgumentError, AxisError, TreeError } from '../errors.js';
import type { Node } from '../graph.js';
import { checkSetting } from '../ops/common/operands.js';
import { showAval } from '../shape.js';

/**
 * An axis, counted from the end where it is negative; null where there is none. In the place of a subtree it goes for all
 * leaves of that subtree.
 */
export type Axes = number | null | readonly Axes[] | { readonly [key: string]: Axes };

/** Where a leaf stands, in words. */
export type Place = (path: Path) => string;

const misfit = (what: string, given: string, place: string, rule: string): TreeError =>
  new TreeError({
    operation: 'vmap',
    given: `${what} with ${given} for ${place}`,
    rule,
    hint: 'Give one axis for the whole subtree, or a tree of its form with an axis or null for each leaf.',
  });

const kindOf = (tree: unknown): string => {
  if (Array.isArray(tree)) return `an array of ${tree.length}`;
  if (isPlainRecord(tree)) return `a record of ${Object.keys(tree).sort().join(', ')}`;
  return tree === null ? 'null' : 'a tensor';
};

/**
 * The axes of the leaves of a tree, in their order, each as it was given.
 *
 * @param what the option: `in`, `out`
 * @throws TreeError when the axes have a form that the tree has not
 * @throws ArgumentError for what is no axis
 */
export const axesFor = (
  what: string,
  axes: unknown,
  tree: unknown,
  placeOf: Place,
  path: Path = [],
): readonly (number | null)[] => {
  checkSetting('vmap', `an axis of ${what}`, axes);
  const below = (item: unknown, step: string | number, own: unknown): readonly (number | null)[] =>
    axesFor(what, own, item, placeOf, [...path, step]);
  const isAxis = axes === null || typeof axes === 'number';
  if (!isAxis && !Array.isArray(axes) && !isPlainRecord(axes)) {
    throw new ArgumentError({
      operation: 'vmap',
      given: `${what} with ${String(axes)} for ${placeOf(path)}`,
      rule: 'an axis is a number, or null where there is no batch axis',
      hint: `Write { ${what}: 0 } for the first axis.`,
    });
  }
  if (Array.isArray(tree)) {
    if (isAxis) return tree.flatMap((item, i) => below(item, i, axes));
    if (Array.isArray(axes) && axes.length === tree.length) return tree.flatMap((item, i) => below(item, i, axes[i]));
  } else if (isPlainRecord(tree)) {
    const keys = Object.keys(tree).sort();
    if (isAxis) return keys.flatMap(key => below(tree[key], key, axes));
    const same =
      isPlainRecord(axes) && Object.keys(axes).length === keys.length && keys.every(key => Object.hasOwn(axes, key));
    if (same) return keys.flatMap(key => below(tree[key], key, axes[key]));
  } else if (isAxis) {
    return tree === null ? [] : [axes];
  }
  throw misfit(what, kindOf(axes), placeOf(path), `there is ${kindOf(tree)} there`);
};

/**
 * An axis of a tensor, counted from the start.
 *
 * @param rank how many axes there are to choose from
 * @throws AxisError naming the place
 */
export const checkAxis = (axis: number, node: Node, rank: number, place: string): number => {
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw new AxisError({
    operation: 'vmap',
    given: `axis ${axis} of ${showAval(node)}, ${place}`,
    rule: rank === 0 ? 'a scalar has no batch axis' : `an axis there is an integer from ${-rank} to ${rank - 1}`,
    hint: 'Choose another axis, or null to share it between the examples: { in: [0, null] }.',
  });
};
