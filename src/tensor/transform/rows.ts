/** Traced functions over rows: inputs with a new first axis give results with one. */
import { b } from '../build.js';
import type { Node } from '../graph.js';
import { repeat } from '../primitives/movement.js';
import { batch } from './batching.js';
import { graphs } from './graphs.js';
import type { Traced } from './trace.js';

/** Results over rows, and which of them have the new axis; the others are the same for all rows. */
export interface Rows {
  readonly outputs: readonly Node[];
  readonly batched: readonly boolean[];
}

/**
 * The traced function over `size` rows.
 *
 * @param batched which of the inputs have the new first axis; what the function closes over has none
 */
export const overRows = (
  { graph, captures }: Traced,
  inputs: readonly Node[],
  batched: readonly boolean[],
  size: number,
): Rows => {
  const given = [...captures, ...inputs];
  const start = new Map(
    graph.parameters.map((parameter, i) => [
      parameter,
      { node: given[i]!, batched: i >= captures.length && batched[i - captures.length]! },
    ]),
  );
  return batch(graphs, graph.outputs, start, size);
};

/** A result with the new axis, whether or not the rows differ. */
export const rowsAt = ({ outputs, batched }: Rows, i: number, size: number): Node =>
  batched[i] ? outputs[i]! : repeat(b, outputs[i]!, size);
