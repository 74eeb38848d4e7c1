/** Parameters as trees of tensors: `tenfold/tree`. */
export {
  type LeafPattern,
  type SelectLeaves,
  select,
  type Updated,
  type UpdateLeaves,
  update,
  type Widened,
} from './patterns.js';
export { foldable, functor, type TraverseTree, type TreeKind, traversable, traverse } from './traversable.js';
export {
  type Flat,
  flatten,
  type Leaf,
  leaves,
  type Mapped,
  type MapTree,
  type MapTreeWithPath,
  map,
  mapWithPath,
  type Path,
  paths,
  reduce,
  showPath,
  type Tree,
  type Unflatten,
  zipWith,
} from './tree.js';
