/** Some of the leaves of a tree, chosen by where they are: what is trained, what stays, what decays. */
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkArgument, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFunction, flattenFor, type Leaf, type Path, showPath } from './tree.js';

/**
 * Leaves of a tree: by a pattern of paths, or a function of path and leaf.
 *
 * A pattern has a part for each step of the path, with dots between: `blocks.0.weight`. In a part `*` stands for any
 * letters; a part `**` stands for any number of steps, also none: `**.bias` are all leaves named bias. A key with dots in it,
 * such as the names of a file's tensors, is as many steps as it has parts.
 */
export type LeafPattern<L = Tensor> = string | ((path: Path, leaf: L) => boolean);

/** Whether text is of the form of a part of a pattern. */
const fitsPart = (part: string, text: string): boolean => {
  const [first, ...rest] = part.split('*') as [string, ...string[]];
  if (rest.length === 0) return part === text;
  if (!text.startsWith(first)) return false;
  const last = rest.pop()!;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
};

/** Whether the steps of a path from one on fit the parts of a pattern from one on. */
const fits = (parts: readonly string[], steps: readonly string[], part = 0, step = 0): boolean => {
  if (part === parts.length) return step === steps.length;
  if (parts[part] === '**') {
    return fits(parts, steps, part + 1, step) || (step < steps.length && fits(parts, steps, part, step + 1));
  }
  return step < steps.length && fitsPart(parts[part]!, steps[step]!) && fits(parts, steps, part + 1, step + 1);
};

/** The steps of a path as patterns see them: those of `{ 'blocks.0.weight': x }` are those of `{ blocks: [{ weight: x }] }`. */
const stepsOf = (path: Path): readonly string[] => path.flatMap(step => String(step).split('.'));

/** @internal A function that tells whether a leaf is meant. */
export const matcherOf = <L = Tensor>(operation: string, pattern: unknown): ((path: Path, leaf: L) => boolean) => {
  checkArgument(
    (typeof pattern === 'string' && pattern !== '') || typeof pattern === 'function',
    operation,
    pattern === '' ? 'an empty pattern' : `${kindOf(pattern)} as a pattern`,
    'leaves are chosen by a pattern of paths, or a function of path and leaf',
    "Write '**.bias', or (path, leaf) => leaf.shape.length > 1.",
  );
  if (typeof pattern === 'string') {
    const parts = pattern.split('.').filter((part, i, all) => part !== '**' || all[i - 1] !== '**');
    return path => fits(parts, stepsOf(path));
  }
  return (path, leaf) => {
    const is: unknown = (pattern as (path: Path, leaf: L) => unknown)(path, leaf);
    checkArgument(
      typeof is === 'boolean',
      operation,
      `${kindOf(is)} for the leaf at ${showPath(path)}`,
      'the function that chooses leaves gives true or false',
      'Compare something of the path or the shape.',
    );
    return is as boolean;
  };
};

/** The tree with each leaf as it is, or a `B`. */
export type Widened<T, B> = T extends Tensor
  ? T | B
  : T extends null
    ? null
    : T extends readonly unknown[]
      ? { readonly [K in keyof T]: Widened<T[K], B> }
      : T extends (...args: never[]) => unknown
        ? T | B
        : T extends object
          ? { readonly [K in keyof T]: Widened<T[K], B> }
          : T | B;

/** The signatures of {@link select}. */
export interface SelectLeaves {
  <T>(tree: T, leaves: LeafPattern<Leaf<NoInfer<T>>>): Widened<T, null>;
  <L = Tensor>(leaves: LeafPattern<L>): <T>(tree: T) => Widened<T, null>;
}

/**
 * The tree with the chosen leaves alone, and null, which is no leaf, in the places of the others. Those that were not
 * chosen are what the opposite function chooses.
 *
 * @param leaves a pattern with a part for each step of the path, dots between, `*` for any letters and `**` for any
 *   number of steps, or a function of path and leaf; a key with dots in it is several steps
 * @throws ArgumentError for what is neither, and when the function does not give true or false; TreeError for a tree
 *   that contains itself
 * @example
 * ```js
 * import { leaves, select } from 'tenfold/tree';
 * const params = { body: [{ weight: 1, bias: 2 }], head: { weight: 3, bias: 4 } };
 * select(params, 'head.*'); // => { body: [{ weight: null, bias: null }], head: { weight: 3, bias: 4 } }
 * leaves(select(params, '**.bias')); // => [2, 4]
 * leaves(select(params, (path, x) => path[0] === 'body' && x > 1)); // => [2]
 * ```
 */
export const select: SelectLeaves = ((...args: readonly unknown[]) => {
  const isMeant = matcherOf<unknown>('select', args[args.length === 1 ? 0 : 1]);
  const from = (tree: unknown): unknown => {
    const { leaves, paths, unflatten } = flattenFor('select', tree);
    return unflatten(leaves.map((leaf, i) => (isMeant(paths[i]!, leaf) ? leaf : null)));
  };
  return args.length === 1 ? from : from(args[0]);
}) as never;

/** The tree after some leaves have become a `B`: one of the same type, if these are tensors of unknown shapes. */
export type Updated<T, B> = [Leaf<T>, B] extends [Tensor, { readonly shape: infer S }]
  ? Shape extends S
    ? T
    : Widened<T, B>
  : Widened<T, B>;

/** The signatures of {@link update}. */
export interface UpdateLeaves {
  <T>(tree: T, leaves: LeafPattern<Leaf<T>>, f: (leaf: Leaf<T>) => Leaf<T>): T;
  <T, B>(tree: T, leaves: LeafPattern<Leaf<NoInfer<T>>>, f: (leaf: Leaf<NoInfer<T>>) => B): Updated<T, B>;
  <A>(leaves: LeafPattern<A>, f: (leaf: A) => A): <T>(tree: T) => T;
  <A, B>(leaves: LeafPattern<A>, f: (leaf: A) => B): <T>(tree: T) => Widened<T, B>;
}

/**
 * The tree with `f` applied to the chosen leaves; the others stay as they are. If none is chosen, all do.
 *
 * @param leaves a pattern of paths, or a function of path and leaf: see {@link select}
 * @throws ArgumentError for what is no pattern and no function; TreeError for a tree that contains itself
 * @example
 * ```js
 * import { update } from 'tenfold/tree';
 * update({ a: { weight: 1, bias: 2 }, bias: 3 }, '**.bias', x => 0 * x); // => { a: { weight: 1, bias: 0 }, bias: 0 }
 * ```
 */
export const update: UpdateLeaves = ((...args: readonly unknown[]) => {
  const [pattern, f] = args.slice(-2);
  const isMeant = matcherOf<unknown>('update', pattern);
  checkFunction('update', f);
  const within = (tree: unknown): unknown => {
    const { leaves, paths, unflatten } = flattenFor('update', tree);
    return unflatten(leaves.map((leaf, i) => (isMeant(paths[i]!, leaf) ? (f as (x: unknown) => unknown)(leaf) : leaf)));
  };
  return args.length === 2 ? within : within(args[0]);
}) as never;
