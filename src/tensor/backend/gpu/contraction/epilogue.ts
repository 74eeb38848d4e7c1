/** Kernels behind a product: what is stored of each element instead of it. */
import type { Kernel } from '../../../compile/kernel.js';
import { type Shape, sizeOf } from '../../../shape.js';
import { refined } from '../../../view.js';
import type { Code, Coordinate, Float, Integer } from '../language/code.js';
import {
  floatOfIndex,
  loadScalar,
  type Scalar,
  scalarOfIndex,
  scalarOfProgram,
  selectScalar,
  zeroScalar,
} from '../language/scalars.js';
import { addressOf, linear } from '../passes/indices.js';
import type { Value } from '../passes/sequence.js';
import type { Slots } from '../passes/slots.js';
import { writeValues } from '../passes/values.js';

/** A kernel of elements behind a product, and the slot by which it reads that. */
export interface Epilogue {
  readonly kernel: Kernel;
  readonly product: number;
  readonly slots: Slots;
}

export const lengthsIn = ({ space }: Kernel): Shape => space.map(({ length }) => length);

/** Buffers that a kernel reads beside the product. */
export const buffersOf = ({ kernel, product, slots }: Epilogue): ReadonlyMap<Value, number> => {
  const buffers = new Map<Value, number>();
  for (const value of kernel.values) {
    if (value.kind !== 'load' || value.slot === product) continue;
    const buffer = slots.valueOf(value.slot);
    if (buffer !== null) buffers.set(buffer, slots.floatsOf(value.slot));
  }
  return buffers;
};

/** Where an element is, and how its kernel finds what it reads. */
interface Place {
  /** By axis of the kernel. */
  readonly at: readonly Coordinate[];
  readonly positionOf: (buffer: Value) => number;
  readonly asFloat: (index: Integer) => Float;
}

/** What is stored of an element, in the order of the stores. */
export const finish = (
  code: Code,
  { kernel, product, slots }: Epilogue,
  element: Scalar,
  { at, positionOf, asFloat }: Place,
): readonly Scalar[] => {
  const { values, stores } = kernel;
  const read = (position: number): Scalar | null => {
    const value = values[position]!;
    if (value.kind !== 'load' && value.kind !== 'index') return null;
    if (value.kind === 'load' && value.slot === product) return element;
    const { index, valid } = addressOf(code, value.view, at);
    const zeroed = (scalar: Scalar): Scalar =>
      valid === null ? scalar : selectScalar(code, valid, scalar, zeroScalar(code, value.dtype));
    if (value.kind === 'index')
      return zeroed(scalarOfIndex(code, value.dtype, floatOfIndex(code, index, asFloat(index))));
    const buffer = slots.valueOf(value.slot);
    if (buffer !== null) return zeroed(loadScalar(code, value.dtype, positionOf(buffer), index));
    const scalar = slots.scalarOf(value.slot);
    if (scalar === null) throw new Error('tenfold: a kernel reads what is nowhere; please report this');
    return zeroed(scalarOfProgram(code, scalar.dtype, scalar.index));
  };
  return writeValues(
    code,
    kernel,
    stores.map(({ value }) => value),
    read,
  );
};

/** The coordinates of axes that are each several of a finer shape. */
export const coarser = (lengths: Shape, fine: Shape, at: readonly Coordinate[]): readonly Coordinate[] => {
  let next = 0;
  return lengths.map(length => {
    const terms: { integer: string; float: string; stride: number }[] = [];
    for (let rest = length; rest > 1; ) {
      rest /= fine[next]!;
      terms.push({ ...at[next]!, stride: rest });
      next++;
    }
    const [only] = terms;
    if (terms.length === 1) return only!;
    const text = (pick: 'integer' | 'float'): string =>
      terms.length === 0
        ? '0'
        : `(${linear(
            0,
            terms.map(term => ({ at: term[pick], stride: term.stride })),
          )})`;
    return { integer: text('integer'), float: text('float') };
  });
};

/** Axes of which those of the product and of the kernel are made; null if there are no such. */
export const commonAxes = (product: Shape, kernel: Kernel): Shape | null =>
  sizeOf(product) === 0 ? null : refined(product, lengthsIn(kernel));
