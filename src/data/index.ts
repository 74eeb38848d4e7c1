/** Data sets and their batches: `tenfold/data`. */
export { shuffledIndices, type ToUnitRange, toUnitRange } from './batching.js';
export { type Digits, loadDigits } from './digits.js';
