/** Operations whose kernel is a function from outside of the library. */
import type { TypedArray } from '../dtype.js';
import type { Aval } from '../shape.js';
import type { Structured } from './kinds.js';
import { results } from './results.js';

export interface ExternalParams {
  /** What its author calls it. */
  readonly name: string;
  /** One result, or several. */
  readonly result: Aval | readonly Aval[];
  /**
   * The elements of the results, in arrays of their own, from those of the inputs, which it leaves as they are. Two
   * operations are equal only if this is one and the same function.
   */
  readonly run: (
    elements: readonly TypedArray[],
    inputs: readonly Aval[],
    results: readonly Aval[],
  ) => readonly TypedArray[];
}

const unseen = { none: 'its kernel is code that the library does not look into' } as const;

export const external: Structured<ExternalParams> = {
  kind: 'structured',
  aval: (_, { result }) => result,
  jvp: unseen,
  vjp: unseen,
  /** Its kernel knows single examples only: a loop over them. */
  batch: (b, graphs, inputs, batched, params, size) => {
    // What all examples share stands before what they are told apart by.
    const order = [...inputs.keys()].sort((i, j) => Number(batched[i]) - Number(batched[j]));
    const avals = order.map(i => {
      const { shape, dtype } = inputs[i]!;
      return { shape: batched[i] ? shape.slice(1) : shape, dtype };
    });
    const body = graphs.trace(avals, given => {
      const operands = inputs.map((_, i) => given[order.indexOf(i)]!);
      return results(b, b.external(operands, params));
    });
    const captures = batched.filter(is => !is).length;
    const node = b.fold(
      order.map(i => inputs[i]!),
      { body, length: size, captures, carries: 0, reverse: false },
    );
    return { outputs: results(b, node), batched: body.outputs.map(() => true) };
  },
};
