/** Traced functions in words. */
import { showPath } from '../../tree/tree.js';
import { programOfGraph } from '../compile/program.js';
import { type InputLabel, showProgram } from '../compile/show.js';
import type { TypedArray } from '../dtype.js';
import { DeviceError } from '../errors.js';
import type { Graph, Node } from '../graph.js';
import { sizeOf, stridesOf } from '../shape.js';
import type { Storage } from '../storage.js';
import { dynamicLeaves, type Form, type ListForm } from './forms.js';
import type { Traced } from './trace.js';

/** A function as a graph, with the forms of its arguments and of its result. */
export interface TracedFunction extends Traced {
  readonly form: ListForm;
  readonly graph: Graph;
  readonly captures: readonly Node[];
  readonly result: Form;
}

/** Up to so many elements of a tensor that is closed over are shown. */
const shownElements = 16;

/** The elements of a value; null where they cannot be had at once. */
const readNow = (value: Storage): TypedArray | null => {
  try {
    return value.readSync();
  } catch (error) {
    if (error instanceof DeviceError) return null;
    throw error;
  }
};

/** The elements of a small tensor that has a value; nothing is computed for it. */
const elementsOf = ({ value, shape, dtype }: Node): string | null => {
  const elements = value === null || sizeOf(shape) > shownElements ? null : readNow(value as Storage);
  if (elements === null) return null;
  const strides = stridesOf(shape);
  const show = (x: number): string => {
    if (dtype === 'bool') return String(x !== 0);
    // 0.1 rather than 0.10000000149011612.
    return Object.is(x, -0) ? '-0' : String(dtype === 'float32' ? Number(x.toPrecision(8)) : x);
  };
  const nest = (axis: number, from: number): string => {
    if (axis === shape.length) return show(elements[from]!);
    const items = Array.from({ length: shape[axis]! }, (_, i) => nest(axis + 1, from + i * strides[axis]!));
    return `[${items.join(', ')}]`;
  };
  return nest(0, 0);
};

const captureLabel = (node: Node, i: number): InputLabel => {
  const name = `captured[${i}]`;
  const value = elementsOf(node);
  return value === null ? { name } : { name, value };
};

/** The graph, a line for each operation; arguments and results are named by their places. */
export const graphText = ({ form, graph, captures, result }: TracedFunction): string => {
  const { program, scalars } = programOfGraph(graph);
  const given = dynamicLeaves(form).map(({ path, form: { kind } }): InputLabel => {
    const name = `args${showPath(path)}`;
    return kind === 'tensor' ? { name } : { name, type: kind };
  });
  return showProgram(program, scalars, {
    inputs: [...captures.map(captureLabel), ...given],
    outputs: dynamicLeaves(result).map(({ path }) => (path.length === 0 ? '' : showPath(path))),
  });
};
