/** What plans consist of: steps, and the places in memory that they read and write. */
import type { Kernel } from '../../compile/kernel.js';
import type { Instruction } from '../../compile/program.js';
import type { Aval } from '../../shape.js';
import type { Block } from './arena.js';
import type { Contraction, PreparedContraction } from './contraction/index.js';
import type { PieceCode } from './contraction/pieces.js';
import type { KernelCode } from './kernels/index.js';
import type { LoopKernel } from './loops/loops.js';

/** Where a value is while a program runs. */
export type Place =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'scalar'; readonly index: number }
  | { readonly kind: 'arena'; readonly block: Block }
  /** In a body: something that was prepared before the loop. */
  | { readonly kind: 'prepared'; readonly index: number };

/** A place, and bytes behind its start. */
export interface Operand {
  readonly place: Place;
  readonly offset: number;
}

interface KernelStep {
  readonly kind: 'kernel';
  readonly kernel: Kernel;
  readonly code: KernelCode;
  readonly operands: readonly Operand[];
  /** Of a kernel that is shared, nothing: each thread has scratch memory of its own. */
  readonly scratch: Block;
  /** Units of a tile, and whether tiles are shared out to threads. */
  readonly tile: number;
  readonly shared: boolean;
}

/** A kernel that is part of a contraction: where what it reads is, and, if that is stored, what it writes. */
export interface PieceStep {
  readonly kernel: Kernel;
  readonly code: PieceCode;
  readonly operands: readonly Operand[];
}

export interface ContractionStep {
  readonly kind: 'contraction';
  readonly instruction: Instruction;
  readonly contraction: Contraction;
  readonly left: Operand;
  readonly right: Operand;
  readonly out: Place;
  /** Of a contraction that is shared, what its threads share. */
  readonly scratch: Block;
  readonly shared: boolean;
  /** Where the left operand is as the contraction reads it, if that was made before a loop. */
  readonly prepared: Place | null;
  /** A kernel that is done for each piece of the result, and one that makes an operand piece by piece. */
  readonly epilogue: PieceStep | null;
  readonly prologue: PieceStep | null;
}

/** Makes of the left operand of a contraction in a loop what it reads, once for all rounds. */
export interface PreparationStep {
  readonly kind: 'preparation';
  readonly contraction: PreparedContraction;
  readonly left: Operand;
  readonly out: Block;
  /** Of a preparation that is shared, nothing: each thread has scratch memory of its own. */
  readonly scratch: Block;
  readonly shared: boolean;
}

/** A primitive with a kernel of its own. */
export interface LoopStep {
  readonly kind: 'loop';
  readonly instruction: Instruction;
  readonly kernel: LoopKernel;
  readonly operands: readonly Operand[];
  readonly results: readonly Place[];
  /** Of a kernel that is shared, nothing: each thread has scratch memory of its own. */
  readonly scratch: Block;
  /** Parts that a thread takes at a time, and whether threads share them. */
  readonly tile: number;
  readonly shared: boolean;
}

/** A primitive with bodies. */
export interface RegionStep {
  readonly kind: 'region';
  readonly instruction: Instruction;
  readonly bodies: readonly Plan[];
  readonly operands: readonly Operand[];
  /** What the bodies find prepared. */
  readonly prepared: readonly (readonly Place[])[];
  readonly results: readonly Place[];
  /** Second buffers of the carries, which steps write in turn with the results. */
  readonly others: readonly Block[];
  /** Memory of the bodies, one of which runs at a time. */
  readonly arena: Block;
  /** The result of a test. */
  readonly flag: Block;
}

interface CopyStep {
  readonly kind: 'copy';
  readonly from: Operand;
  readonly to: Place;
  readonly bytes: number;
}

export type Step = KernelStep | ContractionStep | PreparationStep | LoopStep | RegionStep | CopyStep;

/** What an output of a program is: one of its inputs, a buffer it fills, or a tuple of these. */
export type Result = { readonly kind: 'input' | 'made'; readonly index: number } | readonly Result[];

/** Something that a body wants to have prepared. */
export interface Wanted {
  readonly contraction: PreparedContraction;
  /** Of the body's inputs. */
  readonly left: Operand;
  readonly bytes: number;
  readonly shared: boolean;
}

export interface Plan {
  readonly inputs: readonly Aval[];
  readonly steps: readonly Step[];
  /** The buffers it fills, in the order of the places `output`. */
  readonly made: readonly Aval[];
  /** Of a body: what it wants to have prepared, in the order of the places `prepared`. */
  readonly wanted: readonly Wanted[];
  /** What its outputs are; of a body, its outputs are what it makes. */
  readonly results: readonly Result[];
  /** Bytes of its arena: scalars first, then values by liveness, those of bodies included. */
  readonly bytes: number;
  /** Scratch memory that each thread has for itself: its bytes, and where that of the first thread is in the arena. */
  readonly own: Block;
}
