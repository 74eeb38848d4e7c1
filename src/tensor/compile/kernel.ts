/**
 * Kernels as every backend gets them: one space of indices, values computed at each of them from loads through affine
 * views, reductions over some of the axes, and what is written out.
 */
import type { DType } from '../dtype.js';
import type { Params } from '../graph.js';
import type { View } from '../view.js';

/** An axis of a kernel's space. Reduced ones are neighbours. */
export interface Axis {
  readonly length: number;
  readonly reduced: boolean;
}

/**
 * Where a value lives. One of an `element` has the whole space; one of a `row` has the axes that are not reduced, and is
 * there only after the reductions it depends on.
 */
export type Level = 'element' | 'row';

interface Common {
  readonly dtype: DType;
  readonly level: Level;
}

/** A buffer read through a view of the whole space, or of the axes that are not reduced. */
interface LoadValue extends Common {
  readonly kind: 'load';
  readonly slot: number;
  readonly view: View;
}

/** A number made of the indices: the place that a view says, zero outside of its valid ranges. */
interface IndexValue extends Common {
  readonly kind: 'index';
  readonly view: View;
}

/** An elementwise primitive on earlier values. */
export interface OperationValue extends Common {
  readonly kind: 'operation';
  readonly op: string;
  readonly params: Params;
  readonly operands: readonly number[];
}

/** A reduction of an earlier value of an element to one of a row. */
export interface ReduceValue extends Common {
  readonly kind: 'reduce';
  readonly op: Reducer;
  readonly operand: number;
}

export type Reducer = 'sum' | 'prod' | 'reduceMax' | 'reduceMin';
export type KernelValue = LoadValue | IndexValue | OperationValue | ReduceValue;

/** A value written to a buffer of its own, in row-major order. */
interface Store {
  readonly value: number;
  readonly slot: number;
}

export interface Kernel {
  readonly space: readonly Axis[];
  /** Operands come before what uses them. */
  readonly values: readonly KernelValue[];
  readonly stores: readonly Store[];
}

/** The lengths of the axes that are kept, or of all. */
export const lengthsOf = (space: readonly Axis[], level: Level): number[] =>
  space.filter(({ reduced }) => level === 'element' || !reduced).map(({ length }) => length);

/** Elements reduced to one; 1 where nothing is reduced. */
export const depthOf = (space: readonly Axis[]): number =>
  space.reduce((product, { length, reduced }) => (reduced ? product * length : product), 1);

/** A view of the axes that are kept, over all of them: it stands still along those that are reduced. */
export const overAll = (view: View, space: readonly Axis[]): View => {
  let next = 0;
  const from = space.map(({ reduced }) => (reduced ? -1 : next++));
  const over = <T>(list: readonly T[], otherwise: T): readonly T[] =>
    from.map(axis => (axis < 0 ? otherwise : list[axis]!));
  return {
    shape: space.map(({ length }) => length),
    offset: view.offset,
    strides: over(view.strides, 0),
    valid: over(view.valid, null),
  };
};
