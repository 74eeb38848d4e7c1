/** The primitives that no fused kernel computes, as passes of their own. */
import type { Instruction } from '../../../compile/program.js';
import type { DType } from '../../../dtype.js';
import type { ParamsOf, PrimitiveName } from '../../../primitives/signatures.js';
import { type Aval, sizeOf } from '../../../shape.js';
import type { Operand, Sequence, Value } from '../passes/sequence.js';
import { argsort } from './argsort.js';
import { exact } from './lines.js';
import { concat, gather, pad } from './moves.js';
import { argmax, argmin, cumargmax, cumargmin } from './positions.js';
import { longestRecurrence, recurrence } from './recurrence.js';
import { scatterAdd } from './scatter.js';
import { cumsum } from './sums.js';

interface Entry<P> {
  /** Whether the device computes it, where dtypes and sizes do not speak against it anyway. */
  readonly can: (params: P, inputs: readonly Aval[], aval: Aval) => boolean;
  readonly write: (
    sequence: Sequence,
    params: P,
    inputs: readonly Aval[],
    aval: Aval,
    operands: readonly Operand[],
  ) => Value;
}

const numeric = (dtype: DType): boolean => dtype === 'float32' || dtype === 'int32' || dtype === 'uint32';

/** Positions are floats on the way. */
const fits = (length: number): boolean => length < exact;

/** Neighbouring axes in their order count as one. */
const neighbours = (axes: readonly number[]): boolean =>
  axes.length > 0 && axes.every((axis, i) => axis === axes[0]! + i);

const position = (write: Entry<ParamsOf<'argmax'>>['write']): Entry<ParamsOf<'argmax'>> => ({
  can: ({ axes }, [x]) => numeric(x!.dtype) && neighbours(axes) && fits(sizeOf(axes.map(axis => x!.shape[axis]!))),
  write,
});

const along = <P extends { readonly axis: number }>(write: Entry<P>['write'], longest = exact): Entry<P> => ({
  can: ({ axis }, inputs) =>
    inputs.every(({ shape, dtype }) => numeric(dtype) && fits(shape[axis]!) && shape[axis]! <= longest),
  write,
});

const entries: { readonly [P in PrimitiveName]?: Entry<ParamsOf<P>> } = {
  pad: {
    can: ({ interior }, _, { shape }) => shape.every((length, axis) => interior[axis] === 0 || fits(length)),
    write: pad,
  },
  concat: { can: () => true, write: concat },
  gather: {
    can: ({ axis }, [x, indices]) => fits(x!.shape[axis]!) && fits(sizeOf(indices!.shape)),
    write: gather,
  },
  scatterAdd: {
    can: ({ length }, [updates, indices], aval) =>
      numeric(updates!.dtype) && fits(length + 1) && fits(sizeOf(indices!.shape)) && fits(sizeOf(aval.shape)),
    write: scatterAdd,
  },
  argmax: position(argmax),
  argmin: position(argmin),
  cumsum: along(cumsum),
  recurrence: along(recurrence, longestRecurrence),
  cumargmax: along(cumargmax),
  cumargmin: along(cumargmin),
  argsort: { can: ({ axis }, [x]) => fits(x!.shape[axis]!), write: argsort },
};

const entryOf = (op: string): Entry<Instruction['params']> | undefined =>
  (entries as Readonly<Record<string, Entry<Instruction['params']> | undefined>>)[op];

/** Whether the device computes it; what it does not runs on the CPU. Of nothing it computes nothing, but what concat leaves out. */
export const loops = ({ op, params, inputAvals, aval }: Instruction): boolean => {
  const avals = [...inputAvals, aval];
  if (avals.some(({ dtype }) => dtype === 'float64')) return false;
  if ((op === 'concat' ? [aval] : avals).some(({ shape }) => sizeOf(shape) === 0)) return false;
  return entryOf(op)?.can(params, inputAvals, aval) ?? false;
};

/** The passes of an instruction; operands are stored elements in row-major order, from an offset on. Gives the result's buffer. */
export const writeLoops = (
  sequence: Sequence,
  { op, params, inputAvals, aval }: Instruction,
  operands: readonly Operand[],
): Value => {
  const entry = entryOf(op);
  if (entry === undefined) throw new Error(`tenfold: no passes are written for ${op}; please report this`);
  return entry.write(sequence, params, inputAvals, aval, operands);
};
