/** Data sets and their batches: `tenfold/data`. */
export { shuffledIndices, type ToUnitRange, toUnitRange } from './batching.js';
export type { Dataset, FromOptions, Signal } from './dataset.js';
export { type Digits, loadDigits } from './digits.js';
export {
  type Batch,
  type BatchOptions,
  batch,
  type Counted,
  fromArrays,
  type MapContext,
  type MapDataset,
  map,
  prefetch,
  type Repeat,
  repeat,
  type Shuffle,
  shuffle,
  take,
} from './pipeline.js';
export type { Batched, Row } from './row-types.js';
export {
  checkerboard,
  type EightGaussiansOptions,
  eightGaussians,
  type LabelledPoints,
  type NoiseOptions,
  type Points,
  type RolledPoints,
  spirals,
  swissRoll,
  twoMoons,
} from './toys.js';
