/** What code of elementwise primitives is written with: values, and what a kernel offers. */
import type { DType } from '../../dtype.js';
import type { Params } from '../../graph.js';
import type { FunctionWriter, Local } from './assembler.js';
import type { VectorWriter } from './lanes.js';

/**
 * A value in a kernel: a vector of lanes. Where two float64 lanes fill a vector, values of 32 bits are in the first two
 * of their four. Bytes are integers of 32 bits; bools are masks.
 */
export interface Value {
  readonly vector: Local;
  readonly dtype: DType;
  /** Bits of the lanes of a mask. */
  readonly width: 32 | 64;
  /** The i32 in every lane, for shifts; only of scalars. */
  readonly scalar?: Local;
}

/** What the generator needs of the kernel being written; `lanes` are those of the operands. */
export interface Emitter {
  readonly writer: FunctionWriter;
  readonly lanes: VectorWriter;
  /** The primitive's scalar meaning called lane by lane: for what has no vector form. */
  readonly perLane: (op: string, params: Params, operands: readonly Value[], result: DType) => Local;
}

/** Bits of the lanes a dtype is computed in. */
export const widthOf = (dtype: DType): 32 | 64 => (dtype === 'float64' ? 64 : 32);

export const isUnsigned = (dtype: DType): boolean => dtype === 'uint32' || dtype === 'uint8';

/** One primitive. */
export type Emit = (e: Emitter, operands: readonly Value[], params: Params, result: DType) => Local;
