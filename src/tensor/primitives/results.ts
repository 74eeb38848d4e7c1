/** Small helpers that structured rules share. */
import type { Node } from '../graph.js';
import type { Build } from './signatures.js';

/** The results of a node: itself, or each of several. */
export const results = (b: Build, node: Node): readonly Node[] =>
  node.outputs === null ? [node] : node.outputs.map((_, index) => b.output(node, { index }));

/** The items where the mask holds. */
export const keep = <T>(list: readonly T[], mask: readonly boolean[]): T[] => list.filter((_, i) => mask[i]);

/** Which of them there are. */
export const has = (list: readonly (Node | null)[]): boolean[] => list.map(node => node !== null);

/** Those that there are. */
export const present = (list: readonly (Node | null)[]): Node[] => list.filter(node => node !== null);

/** The inverse of keep: nodes in the places of a mask, null elsewhere. */
export const placed = (nodes: readonly Node[], mask: readonly boolean[]): (Node | null)[] => {
  let next = 0;
  return mask.map(yes => (yes ? nodes[next++]! : null));
};

/** A list cut into pieces of these lengths, and the rest. */
export const cut = <T, L extends readonly number[]>(
  list: readonly T[],
  ...lengths: L
): [...{ [K in keyof L]: T[] }, T[]] => {
  const pieces: T[][] = [];
  let from = 0;
  for (const length of lengths) {
    pieces.push(list.slice(from, from + length));
    from += length;
  }
  pieces.push(list.slice(from));
  return pieces as [...{ [K in keyof L]: T[] }, T[]];
};
