/** Small helpers that structured rules share. */
import type { Node } from '../graph.js';
import type { Build } from './signatures.js';

/** The results of a node: itself, or each of several. */
export const results = (b: Build, node: Node): readonly Node[] =>
  node.outputs === null ? [node] : node.outputs.map((_, index) => b.output(node, { index }));

/** The items where the mask holds. */
export const keep = <T>(list: readonly T[], mask: readonly boolean[]): T[] => list.filter((_, i) => mask[i]);
