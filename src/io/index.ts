/** Tensors in files: `tenfold/io`. */
export { flattenTree, type LoadedTree, loadTree, restoreTree, saveTree } from './checkpoint.js';
export {
  type Csv,
  type CsvDType,
  decodeCsv,
  encodeCsv,
  type ReadCsvOptions,
  readCsv,
  type WriteCsvOptions,
  writeCsv,
} from './csv.js';
export type { ElementType, LongIntegers, StoredType } from './elements.js';
export { decodeNpy, encodeNpy, readNpy, writeNpy } from './npy.js';
export { encodeNpz, type ReadNpzOptions, readNpz, type WriteNpzOptions, writeNpz } from './npz.js';
export { encodePng, type ReadPngOptions, readPng, writePng } from './png.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  type ReadOptions,
  type Safetensors,
  type StoredTypes,
} from './safetensors.js';
export { type LazyTensor, readSafetensors, type SafetensorsFile, writeSafetensors } from './safetensors-files.js';
export type { Metadata } from './safetensors-header.js';
export type { Source } from './sources.js';
