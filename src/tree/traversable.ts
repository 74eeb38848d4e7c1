/**
 * Trees as fp-ts knows containers: Functor, Foldable, Traversable.
 *
 * A kind of fp-ts has one parameter, the leaf, and says nothing of the form of a container. So the instances are those
 * of `Tree<A>`, the trees of any form; {@link traverse}, like `map`, keeps the form in the type. Leaves of the
 * instances are anything but arrays, plain records and null, which are trees themselves: for these the laws do not
 * hold. Options and Eithers are records too; `sequence` knows them by their `_tag`. Of arrays as effects there is
 * `traverse`, but no `sequence`.
 */
import type { Applicative, Applicative1, Applicative2, Applicative3, Applicative4 } from 'fp-ts/lib/Applicative.js';
import type { FoldableWithIndex1 } from 'fp-ts/lib/FoldableWithIndex.js';
import type { FunctorWithIndex1 } from 'fp-ts/lib/FunctorWithIndex.js';
import type { hkt } from 'fp-ts/lib/index.js';
import type { Monoid } from 'fp-ts/lib/Monoid.js';
import type { TraversableWithIndex1 } from 'fp-ts/lib/TraversableWithIndex.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkArgument } from '../tensor/shape.js';
import { checkFunction, flattenFor, type Leaf, type Mapped, map, mapWithPath, type Path, type Tree } from './tree.js';

/** The name of trees among the kinds of fp-ts. */
export type TreeKind = 'tenfold.Tree';

// The file in which fp-ts declares its kinds, which is not in lib.
declare module 'fp-ts/HKT.js' {
  interface URItoKind<A> {
    readonly 'tenfold.Tree': Tree<A>;
  }
}

/** The signatures of {@link traverse}. */
export interface TraverseTree {
  <F extends hkt.URIS4>(
    F: Applicative4<F>,
  ): <T, S, R, E, B>(
    tree: T,
    f: (leaf: Leaf<NoInfer<T>>) => hkt.Kind4<F, S, R, E, B>,
  ) => hkt.Kind4<F, S, R, E, Mapped<T, B>>;
  <F extends hkt.URIS3>(
    F: Applicative3<F>,
  ): <T, R, E, B>(tree: T, f: (leaf: Leaf<NoInfer<T>>) => hkt.Kind3<F, R, E, B>) => hkt.Kind3<F, R, E, Mapped<T, B>>;
  <F extends hkt.URIS2>(
    F: Applicative2<F>,
  ): <T, E, B>(tree: T, f: (leaf: Leaf<NoInfer<T>>) => hkt.Kind2<F, E, B>) => hkt.Kind2<F, E, Mapped<T, B>>;
  <F extends hkt.URIS>(
    F: Applicative1<F>,
  ): <T, B>(tree: T, f: (leaf: Leaf<NoInfer<T>>) => hkt.Kind<F, B>) => hkt.Kind<F, Mapped<T, B>>;
  <F>(F: Applicative<F>): <T, B>(tree: T, f: (leaf: Leaf<NoInfer<T>>) => hkt.HKT<F, B>) => hkt.HKT<F, Mapped<T, B>>;
}

/** What was gathered, last first: an applicative of several outcomes shares what is in front. */
type Gathered = { readonly last: unknown; readonly before: Gathered } | null;

const inOrder = (all: Gathered): readonly unknown[] => {
  const found: unknown[] = [];
  for (let at = all; at !== null; at = at.before) found.push(at.last);
  return found.reverse();
};

/** The effects of `f` at the leaves in their order, in the name of a function. */
const traverseFor = <F>(
  operation: string,
  F: Applicative<F>,
  tree: unknown,
  f: (path: Path, leaf: unknown) => hkt.HKT<F, unknown>,
  isLeaf?: (value: object) => boolean,
): hkt.HKT<F, unknown> => {
  const { leaves, paths, unflatten } = flattenFor(operation, tree, isLeaf);
  const all = leaves.reduce<hkt.HKT<F, Gathered>>((before, leaf, i) => {
    const adding = F.map(
      before,
      (gathered: Gathered) =>
        (last: unknown): Gathered => ({ last, before: gathered }),
    );
    return F.ap(adding, f(paths[i]!, leaf));
  }, F.of<Gathered>(null));
  return F.map(all, gathered => unflatten(inOrder(gathered)));
};

/**
 * A function with effects at every leaf, in their order, and one tree with all effects: of `Option` or `Either` the
 * tree of all results, or what went wrong first; of `Task` one task for all.
 *
 * @param F an Applicative of fp-ts
 * @returns a function of a tree and of `f`, which takes a leaf
 * @throws ArgumentError for what is no Applicative, and then when `f` is no function; TreeError for a tree that
 *   contains itself
 * @example
 * ```js
 * import * as O from 'fp-ts/lib/Option.js';
 * import { traverse } from 'tenfold/tree';
 * const root = x => (x < 0 ? O.none : O.some(Math.sqrt(x)));
 * traverse(O.Applicative)({ a: 4, b: [9] }, root); // => { _tag: 'Some', value: { a: 2, b: [3] } }
 * traverse(O.Applicative)({ a: 4, b: [-9] }, root); // => { _tag: 'None' }
 * ```
 */
export const traverse: TraverseTree = (<F>(F: Applicative<F>) => {
  const given = (F ?? {}) as Partial<Applicative<F>>;
  checkArgument(
    [given.of, given.map, given.ap].every(each => typeof each === 'function'),
    'traverse',
    kindOf(F),
    'it takes an Applicative of fp-ts',
    'Write traverse(E.Applicative)(tree, f).',
  );
  return (tree: unknown, f: (leaf: unknown) => hkt.HKT<F, unknown>) => {
    checkFunction('traverse', f);
    return traverseFor('traverse', F, tree, (_, leaf) => f(leaf));
  };
}) as never;

/**
 * Trees as a Functor of fp-ts, with the path as index.
 *
 * @example
 * ```js
 * import { functor, showPath } from 'tenfold/tree';
 * functor.map({ a: 1, b: [2] }, x => x + 1); // => { a: 2, b: [3] }
 * functor.mapWithIndex({ a: 1, b: [2] }, (path, x) => `${showPath(path)} ${x}`); // => { a: 'a 1', b: ['b[0] 2'] }
 * ```
 */
export const functor: FunctorWithIndex1<TreeKind, Path> = Object.freeze({
  URI: 'tenfold.Tree',
  map: map as never,
  mapWithIndex: mapWithPath as never,
});

/** What stands at the leaves of a tree, with the paths. */
const entriesOf = <A>(tree: Tree<A>): readonly (readonly [path: Path, leaf: A])[] => {
  const { leaves, paths } = flattenFor('foldable', tree);
  return leaves.map((leaf, i) => [paths[i]!, leaf as A]);
};

/**
 * Trees as a Foldable of fp-ts, with the path as index.
 *
 * @example
 * ```js
 * import { toReadonlyArray } from 'fp-ts/lib/Foldable.js';
 * import { MonoidSum } from 'fp-ts/lib/number.js';
 * import { foldable } from 'tenfold/tree';
 * foldable.foldMap(MonoidSum)({ a: 1, b: [2, 3] }, x => x * x); // => 14
 * toReadonlyArray(foldable)({ b: 1, a: [2, 3] }); // => [2, 3, 1]
 * ```
 */
export const foldable: FoldableWithIndex1<TreeKind, Path> = Object.freeze({
  URI: 'tenfold.Tree',
  reduce: <A, B>(tree: Tree<A>, start: B, f: (result: B, leaf: A) => B): B =>
    entriesOf(tree).reduce((result, [, leaf]) => f(result, leaf), start),
  foldMap:
    <M>(M: Monoid<M>) =>
    <A>(tree: Tree<A>, f: (leaf: A) => M): M =>
      entriesOf(tree).reduce((result, [, leaf]) => M.concat(result, f(leaf)), M.empty),
  reduceRight: <A, B>(tree: Tree<A>, start: B, f: (leaf: A, result: B) => B): B =>
    entriesOf(tree).reduceRight((result, [, leaf]) => f(leaf, result), start),
  reduceWithIndex: <A, B>(tree: Tree<A>, start: B, f: (path: Path, result: B, leaf: A) => B): B =>
    entriesOf(tree).reduce((result, [path, leaf]) => f(path, result, leaf), start),
  foldMapWithIndex:
    <M>(M: Monoid<M>) =>
    <A>(tree: Tree<A>, f: (path: Path, leaf: A) => M): M =>
      entriesOf(tree).reduce((result, [path, leaf]) => M.concat(result, f(path, leaf)), M.empty),
  reduceRightWithIndex: <A, B>(tree: Tree<A>, start: B, f: (path: Path, leaf: A, result: B) => B): B =>
    entriesOf(tree).reduceRight((result, [path, leaf]) => f(path, leaf, result), start),
});

/** Whether a record is a value of fp-ts, of which a tree may be made. */
const isTagged = (value: object): boolean => Object.hasOwn(value, '_tag');

/**
 * Trees as a Traversable of fp-ts, with the path as index.
 *
 * @example
 * ```js
 * import * as O from 'fp-ts/lib/Option.js';
 * import { traversable } from 'tenfold/tree';
 * traversable.sequence(O.Applicative)({ a: O.some(1), b: [O.some(2)] }); // => O.some({ a: 1, b: [2] })
 * ```
 */
export const traversable: TraversableWithIndex1<TreeKind, Path> = Object.freeze({
  ...functor,
  ...foldable,
  traverse: traverse as never,
  sequence: (<F>(F: Applicative<F>) =>
    (tree: Tree<hkt.HKT<F, unknown>>) =>
      traverseFor('sequence', F, tree, (_, leaf) => leaf as hkt.HKT<F, unknown>, isTagged)) as never,
  traverseWithIndex: (<F>(F: Applicative<F>) =>
    (tree: unknown, f: (path: Path, leaf: unknown) => hkt.HKT<F, unknown>) =>
      traverseFor('traverseWithIndex', F, tree, f)) as never,
});
