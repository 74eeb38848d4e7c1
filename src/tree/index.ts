/** Parameters as trees of tensors: `tenfold/tree`. */
export {
  type Flat,
  flatten,
  type Leaf,
  leaves,
  type Mapped,
  type MapTree,
  map,
  type Path,
  reduce,
  showPath,
  type Tree,
  zipWith,
} from './tree.js';
