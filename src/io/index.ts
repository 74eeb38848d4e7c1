/** Tensors in files: `tenfold/io`. */
export { flattenTree, type LoadedTree, loadTree, restoreTree, saveTree } from './checkpoint.js';
export { decodeSafetensors, encodeSafetensors, type Metadata, type Safetensors } from './safetensors.js';
