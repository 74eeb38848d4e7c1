/** Where the values of a program are, as those who write passes for it need to know. */
import type { DType } from '../../../dtype.js';
import type { Value } from './sequence.js';

export interface Slots {
  /** The buffer of a slot; null for a scalar of the program. */
  valueOf(slot: number): Value | null;
  /** Floats of a slot's buffer. */
  floatsOf(slot: number): number;
  /** A scalar of the program: its index among a run's values, and its dtype; null for a buffer. */
  scalarOf(slot: number): { readonly index: number; readonly dtype: DType } | null;
}
