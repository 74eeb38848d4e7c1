/**
 * Kernels of single primitives as plain loop nests: for what neither fuses nor has a kernel of its own. The shapes are
 * written into the code.
 */
import type { Instruction } from '../../../compile/program.js';
import type { ParamsOf, PrimitiveName } from '../../../primitives/signatures.js';
import type { Aval } from '../../../shape.js';
import { argsort } from './argsort.js';
import { conv } from './conv.js';
import { cholesky, lu, triangularSolve } from './decompositions.js';
import { dotGeneral } from './dot.js';
import { external } from './external.js';
import { concat, gather, pad, scatterAdd } from './moves.js';
import { argmax, argmin } from './positions.js';
import { orthogonalRows } from './rotations.js';
import { cumargmax, cumargmin, cumsum, recurrence } from './scans.js';
import type { LoopKernel } from './walk.js';

export type { LoopKernel, Parts } from './walk.js';

type Write<P> = (params: P, inputs: readonly Aval[], aval: Aval) => LoopKernel | null;

const writers: { readonly [P in PrimitiveName]?: Write<ParamsOf<P>> } = {
  pad,
  concat,
  gather,
  scatterAdd,
  argsort,
  dotGeneral,
  conv,
  argmax,
  argmin,
  cumsum,
  recurrence,
  cumargmax,
  cumargmin,
  cholesky,
  triangularSolve,
  lu,
  orthogonalRows,
  external,
};

/** A kernel for the instruction: a function of the addresses of inputs, results and scratch memory. */
export const loopKernelOf = ({ op, params, inputAvals, aval }: Instruction): LoopKernel | null => {
  const write = (writers as Readonly<Record<string, Write<typeof params> | undefined>>)[op];
  return write?.(params, inputAvals, aval) ?? null;
};
