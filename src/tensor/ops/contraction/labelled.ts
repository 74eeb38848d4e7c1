/** Tensors with a label on each axis, and products in which axes with the same label meet. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { permuteNode, reshapeNode, sliceAlong } from '../common/moving.js';
import { broadcastNode } from '../common/operands.js';

export interface Labelled {
  readonly node: Node;
  readonly labels: readonly string[];
}

type Lengths = ReadonlyMap<string, number>;

/** Those of `labels` that are in `order` in that order, in the places that they take together; the others stay. */
const inOrder = (labels: readonly string[], order: readonly string[]): readonly string[] => {
  const sorted = order.filter(label => labels.includes(label)).values();
  return labels.map(label => (order.includes(label) ? sorted.next().value! : label));
};

const permuted = ({ node, labels }: Labelled, to: readonly string[]): Labelled => ({
  node: permuteNode(
    node,
    to.map(label => labels.indexOf(label)),
  ),
  labels: to,
});

/** The axes that `order` names brought into that order. */
export const arranged = (x: Labelled, order: readonly string[]): Labelled => permuted(x, inOrder(x.labels, order));

/** Sums over the axes that are not kept. */
export const summed = ({ node, labels }: Labelled, keep: (label: string) => boolean): Labelled => {
  const axes = labels.flatMap((label, axis) => (keep(label) ? [] : [axis]));
  return axes.length === 0 ? { node, labels } : { node: b.sum(node, { axes }), labels: labels.filter(keep) };
};

/** Without axes of length 1 that are longer elsewhere: where they are missing, they broadcast. */
export const withoutBroadcasts = ({ node, labels }: Labelled, lengths: Lengths): Labelled => {
  const full = (_: unknown, axis: number): boolean => node.shape[axis] === lengths.get(labels[axis]!);
  return { node: reshapeNode(node, node.shape.filter(full)), labels: labels.filter(full) };
};

/** Of every label one axis: the diagonal of those that share it. */
export const diagonal = ({ node, labels }: Labelled): Labelled => {
  const second = labels.findIndex((label, axis) => labels.indexOf(label) < axis);
  if (second < 0) return { node, labels };
  const label = labels[second]!;
  const first = labels.indexOf(label);
  const rest = labels.flatMap((_, axis) => (axis === first || axis === second ? [] : [axis]));
  const square = permuteNode(node, [...rest, first, second]);
  const [n, lengths] = [node.shape[first]!, square.shape.slice(0, -2)];
  // In rows of n + 1 the diagonal is a column.
  const flat = reshapeNode(square, [...lengths, n * n]);
  return diagonal({
    node: sliceAlong(flat, rest.length, 0, n * n, n + 1),
    labels: [...rest.map(axis => labels[axis]!), label],
  });
};

/** Spread over axes in an order of which its own are a part. */
const spread = (x: Labelled, to: readonly string[], lengths: Lengths): Node => {
  const { node, labels } = permuted(
    x,
    to.filter(label => x.labels.includes(label)),
  );
  const length = (label: string): number => lengths.get(label)!;
  const aligned = to.map(label => (labels.includes(label) ? length(label) : 1));
  return broadcastNode(reshapeNode(node, aligned), to.map(length));
};

/**
 * The product of two: axes with one label meet, and those not kept are summed over.
 *
 * @param order the labels of the result in the order wanted; none for whichever comes for nothing
 */
export const product = (
  x: Labelled,
  y: Labelled,
  keep: (label: string) => boolean,
  order: readonly string[],
  lengths: Lengths,
): Labelled => {
  const shared = x.labels.filter(label => y.labels.includes(label));
  const contracted = shared.filter(label => !keep(label));
  const isShared = (label: string): boolean => shared.includes(label);
  if (contracted.length === 0 || (x.labels.every(isShared) && y.labels.every(isShared))) {
    // Every product is needed only once: elementwise, which fuses with what is around it.
    const all = inOrder([...x.labels, ...y.labels.filter(label => !isShared(label))], order);
    return summed({ node: b.mul(spread(x, all, lengths), spread(y, all, lengths)), labels: all }, keep);
  }
  const batch = inOrder(shared.filter(keep), order);
  const free = order.filter(label => !isShared(label));
  // The result has batch axes, then the left operand's own, then the right operand's.
  const last = order.at(-1);
  const swapped = last !== undefined && !y.labels.includes(last);
  const [lhs, rhs] = swapped ? [arranged(y, free), arranged(x, free)] : [arranged(x, free), arranged(y, free)];
  const axesOf = (side: Labelled, list: readonly string[]): number[] => list.map(label => side.labels.indexOf(label));
  const node = b.dotGeneral(lhs.node, rhs.node, {
    lhsContract: axesOf(lhs, contracted),
    rhsContract: axesOf(rhs, contracted),
    lhsBatch: axesOf(lhs, batch),
    rhsBatch: axesOf(rhs, batch),
  });
  const own = [...lhs.labels, ...rhs.labels].filter(label => !isShared(label));
  return arranged({ node, labels: [...batch, ...own] }, order);
};
