/**
 * Parameters as trees: arrays and plain records nested to any depth, with tensors (or anything else) as leaves.
 *
 * Records are visited in the sorted order of their keys, so two trees written in another order are the same
 * tree; `null` is a tree without leaves. All functions give frozen trees and leave their arguments alone.
 */
import { TreeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkArgument } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** A tree of leaves `L`. */
export type Tree<L = Tensor> = L | null | readonly Tree<L>[] | { readonly [key: string]: Tree<L> };

/** The tree with every leaf replaced by a `B`. */
export type Mapped<T, B> = T extends Tensor
  ? B
  : T extends null
    ? null
    : T extends readonly unknown[]
      ? { readonly [K in keyof T]: Mapped<T[K], B> }
      : T extends (...args: never[]) => unknown
        ? B
        : T extends object
          ? { readonly [K in keyof T]: Mapped<T[K], B> }
          : B;

/** Where a leaf is: record keys and array positions from the root. */
export type Path = readonly (string | number)[];

/** The leaves of a tree `T`, and how to put others in their places: leaves of the same types give a `T` again. */
export interface Flat<T = unknown> {
  readonly leaves: readonly Leaf<T>[];
  readonly paths: readonly Path[];
  readonly unflatten: Unflatten<T>;
}

/** The signatures of the `unflatten` of {@link Flat}. */
export interface Unflatten<T> {
  (leaves: readonly Leaf<T>[]): T;
  <B>(leaves: readonly B[]): Mapped<T, B>;
}

export type PlainRecord = Readonly<Record<string, unknown>>;

/** What is a tree of its values, and no leaf. */
export const isPlainRecord = (value: unknown): value is PlainRecord => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

const hints: Readonly<Record<string, string>> = {
  zipWith: 'It comes first: zipWith(f, tree, …).',
  mapWithPath: 'Write mapWithPath(tree, (path, x) => …).',
};

/** @internal Refuses what is no function. */
export const checkFunction = (operation: string, f: unknown): void =>
  checkArgument(
    typeof f === 'function',
    operation,
    kindOf(f),
    'a function of leaves belongs there',
    hints[operation] ?? `Write ${operation}(tree, x => …).`,
  );

/** A key as it stands in a path: in brackets where dots or brackets of its own would be taken for those of the path. */
const showKey = (key: string, isFirst: boolean): string =>
  key === '' || /[.[\]"]/.test(key) ? `[${JSON.stringify(key)}]` : isFirst ? key : `.${key}`;

/**
 * A path in words; the root is `(root)`, and a key with dots or brackets in it stands in brackets, in quotes.
 *
 * @throws ArgumentError for what is no array of keys and positions
 * @example
 * ```js
 * import { showPath } from 'tenfold/tree';
 * showPath(['blocks', 0, 'weight']); // => 'blocks[0].weight'
 * showPath(['blocks.0', 'weight']); // => '["blocks.0"].weight'
 * ```
 */
export const showPath = (path: Path): string => {
  checkArgument(
    Array.isArray(path) && path.every(step => typeof step === 'string' || typeof step === 'number'),
    'showPath',
    kindOf(path),
    'a path is an array of keys and positions',
    "Write ['blocks', 0], or take one of the paths that flatten gives.",
  );
  if (path.length === 0) return '(root)';
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : showKey(step, i === 0))).join('');
};

/** The form of a tree without its leaves: null, a leaf, or what has trees in places. */
type Form = null | 'leaf' | { readonly keys: readonly string[] | null; readonly parts: readonly Form[] };

/** A tree of a form, its leaves taken in turn. */
const build = (form: Form, next: () => unknown): unknown => {
  if (form === null) return null;
  if (form === 'leaf') return next();
  const { keys, parts } = form;
  const built = parts.map(part => build(part, next));
  if (keys === null) return Object.freeze(built);
  const record: Record<string, unknown> = {};
  // defineProperty, so that a key named __proto__ is a key like any other.
  for (const [i, key] of keys.entries()) Object.defineProperty(record, key, { value: built[i], enumerable: true });
  return Object.freeze(record);
};

/** @internal {@link flatten} in the name of another function; `isLeaf` tells of records that are leaves. */
export const flattenFor = (
  operation: string,
  tree: unknown,
  isLeaf: (value: object) => boolean = () => false,
): Flat => {
  const leaves: unknown[] = [];
  const paths: Path[] = [];
  const above: object[] = [];
  // The form is noted, not read off the tree again when one is rebuilt: its owner may have changed it by then.
  const visit = (at: unknown, path: Path): Form => {
    if (at === null) return null;
    const isList = Array.isArray(at);
    if (!isList && (!isPlainRecord(at) || isLeaf(at))) {
      leaves.push(at);
      paths.push(path);
      return 'leaf';
    }
    if (above.includes(at)) {
      throw new TreeError({
        operation,
        given: `a tree that contains itself at ${showPath(path)}`,
        rule: 'trees end in leaves',
        hint: 'Leave the reference to what is above it out.',
      });
    }
    above.push(at);
    const keys = isList ? null : Object.keys(at).sort();
    // Array.from, so that a hole is what it reads as, undefined, and no place is left out.
    const parts = isList
      ? Array.from(at, (item, i) => visit(item, [...path, i]))
      : keys!.map(key => visit((at as PlainRecord)[key], [...path, key]));
    above.pop();
    return { keys, parts };
  };
  const form = visit(tree, []);
  const unflatten = (others: readonly unknown[]): unknown => {
    if (!Array.isArray(others) || others.length !== leaves.length) {
      throw new TreeError({
        operation: 'unflatten',
        given: `${Array.isArray(others) ? others.length : 'no'} leaves for a tree of ${leaves.length}`,
        rule: 'a tree is rebuilt from as many leaves as it has',
        hint: 'Pass one leaf for each of the leaves that flatten returned, in their order.',
      });
    }
    let taken = 0;
    return build(form, () => others[taken++]);
  };
  return { leaves, paths, unflatten };
};

/**
 * The leaves of a tree in order, their paths, and a function that builds a tree of the same form from others.
 *
 * @throws TreeError for a tree that contains itself; `unflatten`, for another number of leaves
 * @example
 * ```js
 * import { flatten } from 'tenfold/tree';
 * const { leaves, unflatten } = flatten({ b: 2, a: [1, null] });
 * leaves; // => [1, 2]
 * unflatten([10, 20]); // => { a: [10, null], b: 20 }
 * ```
 */
export const flatten = <T>(tree: T): Flat<T> => flattenFor('flatten', tree) as Flat<T>;

/**
 * The leaves of a tree in order.
 *
 * @throws TreeError for a tree that contains itself
 * @example
 * ```js
 * import { leaves } from 'tenfold/tree';
 * leaves({ b: 2, a: [1, null] }); // => [1, 2]
 * ```
 */
export const leaves = <T>(tree: T): readonly Leaf<T>[] => flattenFor('leaves', tree).leaves as readonly Leaf<T>[];

/**
 * The places of the leaves of a tree in order.
 *
 * @throws TreeError for a tree that contains itself
 * @example
 * ```js
 * import { paths } from 'tenfold/tree';
 * paths({ b: 2, a: [1, null, 3] }); // => [['a', 0], ['a', 2], ['b']]
 * ```
 */
export const paths = (tree: unknown): readonly Path[] => flattenFor('paths', tree).paths;

/** What the leaves of a tree are. */
export type Leaf<T> = T extends Tensor
  ? T
  : T extends null
    ? never
    : T extends readonly (infer E)[]
      ? Leaf<E>
      : T extends (...args: never[]) => unknown
        ? T
        : T extends object
          ? Leaf<T[keyof T]>
          : T;

/** The signatures of {@link map}. */
export interface MapTree {
  <T, B>(tree: T, f: (leaf: Leaf<NoInfer<T>>) => B): Mapped<T, B>;
  <A, B>(f: (leaf: A) => B): <T>(tree: T) => Mapped<T, B>;
}

/** The signatures of {@link mapWithPath}. */
export interface MapTreeWithPath {
  <T, B>(tree: T, f: (path: Path, leaf: Leaf<NoInfer<T>>) => B): Mapped<T, B>;
  <A, B>(f: (path: Path, leaf: A) => B): <T>(tree: T) => Mapped<T, B>;
}

/** Both argument orders of a function that maps leaves. */
const mapping = (operation: string, call: (f: unknown, path: Path, leaf: unknown) => unknown): unknown => {
  const over = (tree: unknown, f: unknown): unknown => {
    const flat = flattenFor(operation, tree);
    return flat.unflatten(flat.leaves.map((leaf, i) => call(f, flat.paths[i]!, leaf)));
  };
  return (...args: readonly unknown[]) => {
    const [f] = args.slice(args.length === 1 ? 0 : 1);
    checkFunction(operation, f);
    return args.length === 1 ? (tree: unknown) => over(tree, f) : over(args[0], f);
  };
};

/**
 * The tree with `f` applied to every leaf. `f` gets the leaf alone, so that operations with options can stand there.
 *
 * @throws ArgumentError when `f` is no function, TreeError for a tree that contains itself
 * @example
 * ```js
 * import { map } from 'tenfold/tree';
 * map({ a: 1, b: [2, 3] }, x => x * 10); // => { a: 10, b: [20, 30] }
 * ```
 */
export const map = mapping('map', (f, _, leaf) => (f as (leaf: unknown) => unknown)(leaf)) as MapTree;

/**
 * The tree with `f` applied to the path of every leaf and the leaf.
 *
 * @throws ArgumentError when `f` is no function, TreeError for a tree that contains itself
 * @example
 * ```js
 * import { mapWithPath, showPath } from 'tenfold/tree';
 * mapWithPath({ a: 1, b: [2] }, (path, x) => `${showPath(path)}: ${x}`); // => { a: 'a: 1', b: ['b[0]: 2'] }
 * ```
 */
export const mapWithPath = mapping('mapWithPath', (f, path, leaf) =>
  (f as (path: Path, leaf: unknown) => unknown)(path, leaf),
) as MapTreeWithPath;

/**
 * The leaves of trees of one form, combined place by place; the result has the form of the first.
 *
 * @throws ArgumentError when `f` is no function, TreeError naming the first place where the forms differ, and for a
 *   tree that contains itself
 * @example
 * ```js
 * import { zipWith } from 'tenfold/tree';
 * zipWith((x, y) => x + y, { a: 1, b: [2] }, { a: 10, b: [20] }); // => { a: 11, b: [22] }
 * ```
 */
export const zipWith = <T, B, Rest extends readonly unknown[]>(
  f: (leaf: Leaf<T>, ...others: { [K in keyof Rest]: Leaf<Rest[K]> }) => B,
  first: T,
  ...rest: Rest
): Mapped<T, B> => {
  checkFunction('zipWith', f);
  const flat = flattenFor('zipWith', first);
  const others = rest.map(tree => flattenFor('zipWith', tree));
  for (const other of others) sameForm('zipWith', flat, other);
  const combined = flat.leaves.map((leaf, i) =>
    f(leaf as Leaf<T>, ...(others.map(other => other.leaves[i]) as { [K in keyof Rest]: Leaf<Rest[K]> })),
  );
  return flat.unflatten(combined) as Mapped<T, B>;
};

/**
 * All leaves combined from first to last.
 *
 * @throws ArgumentError when `f` is no function, TreeError for a tree that contains itself
 * @example
 * ```js
 * import { reduce } from 'tenfold/tree';
 * reduce({ a: 1, b: [2, 3] }, (sum, x) => sum + x, 0); // => 6
 * ```
 */
export const reduce = <T, B>(tree: T, f: (result: B, leaf: Leaf<NoInfer<T>>, path: Path) => B, start: B): B => {
  checkFunction('reduce', f);
  const flat = flattenFor('reduce', tree);
  return flat.leaves.reduce<B>((result, leaf, i) => f(result, leaf as Leaf<NoInfer<T>>, flat.paths[i]!), start);
};

/** Refuses trees whose leaves are not in the same places. */
export const sameForm = (operation: string, first: Flat, other: Flat): void => {
  const count = Math.max(first.paths.length, other.paths.length);
  for (let i = 0; i < count; i++) {
    const [p, q] = [first.paths[i], other.paths[i]];
    if (p !== undefined && q !== undefined && p.length === q.length && p.every((step, j) => step === q[j])) continue;
    throw new TreeError({
      operation,
      given: `a tree with a leaf at ${p === undefined ? 'no such place' : showPath(p)} and one with a leaf at ${q === undefined ? 'no such place' : showPath(q)}`,
      rule: 'the trees must have their leaves in the same places',
      hint: 'Compare the keys of the two trees at that place.',
    });
  }
};

/** The leaves of a tree that must all be tensors. */
export const tensorsOf = (operation: string, flat: Flat): readonly Tensor[] =>
  flat.leaves.map((leaf, i) => {
    if (isTensor(leaf)) return leaf;
    throw new TreeError({
      operation,
      given: `${leaf === undefined ? 'undefined' : typeof leaf === 'object' ? 'an object' : `the ${typeof leaf} ${String(leaf)}`} at ${showPath(flat.paths[i]!)}`,
      rule: 'every leaf of the tree must be a tensor',
      hint: 'Make one with tensor(…), or keep what is no tensor out of the tree.',
    });
  });
