/** Trees as fp-ts knows them: the laws of Functor, Foldable and Traversable. */
import * as fc from 'fast-check';
import { getApplicative } from 'fp-ts/lib/Const.js';
import * as E from 'fp-ts/lib/Either.js';
import { toReadonlyArray } from 'fp-ts/lib/Foldable.js';
import * as Id from 'fp-ts/lib/Identity.js';
import * as O from 'fp-ts/lib/Option.js';
import * as A from 'fp-ts/lib/ReadonlyArray.js';
import { Monoid } from 'fp-ts/lib/string.js';
import * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Tensor, tensor } from 'tenfold';
import { foldable, functor, leaves, showPath, type Tree, traversable, traverse } from 'tenfold/tree';
import { describe, expect, expectTypeOf, it } from 'vitest';

const trees = fc.letrec<{ tree: Tree<number> }>(tie => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.constant(null),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('tree'), { maxKeys: 4 }),
  ),
})).tree;

const forAll = (check: (tree: Tree<number>) => void): void => fc.assert(fc.property(trees, check));

describe('the functor', () => {
  it('keeps identities and compositions', () => {
    const [f, g] = [(x: number) => x + 1, (x: number) => `${x}`];
    forAll(tree => {
      expect(functor.map(tree, x => x)).toEqual(tree);
      expect(functor.map(functor.map(tree, f), g)).toEqual(functor.map(tree, x => g(f(x))));
      expect(functor.mapWithIndex(tree, (_, x) => f(x))).toEqual(functor.map(tree, f));
    });
  });
});

describe('the foldable', () => {
  it('folds in the order of the leaves, from both ends', () => {
    forAll(tree => {
      const all = leaves(tree as unknown);
      expect(toReadonlyArray(foldable)(tree)).toEqual(all);
      expect(foldable.foldMap(Monoid)(tree, String)).toBe(all.join(''));
      expect(foldable.reduceRight(tree, '', (x, text) => text + x)).toBe([...all].reverse().join(''));
    });
    const tree = { b: 1, a: [2, null] };
    expect(foldable.reduceWithIndex(tree, '', (path, text, x) => `${text} ${showPath(path)}=${x}`)).toBe(' a[0]=2 b=1');
    expect(foldable.reduceRightWithIndex(tree, '', (path, x, text) => `${text} ${showPath(path)}=${x}`)).toBe(
      ' b=1 a[0]=2',
    );
    expect(foldable.foldMapWithIndex(Monoid)(tree, path => showPath(path))).toBe('a[0]b');
  });
});

describe('the traversable', () => {
  const half = (x: number): O.Option<number> => (x % 2 === 0 ? O.some(x / 2) : O.none);

  it('keeps identity, and effects one after the other', () => {
    forAll(tree => {
      expect(traversable.traverse(Id.Applicative)(tree, x => x + 1)).toEqual(functor.map(tree, x => x + 1));
      const twice = O.map((inner: Tree<number>) => traversable.traverse(O.Applicative)(inner, half))(
        traversable.traverse(O.Applicative)(tree, half),
      );
      const composed = traversable.traverse(O.Applicative)(tree, x => O.chain(half)(half(x)));
      expect(O.flatten(twice)).toEqual(composed);
    });
  });

  it('is natural, and agrees with sequence and the fold', () => {
    forAll(tree => {
      const found = traversable.traverse(O.Applicative)(tree, half);
      const toEither = E.fromOption(() => 'odd');
      expect(traversable.traverse(E.Applicative)(tree, x => toEither(half(x)))).toEqual(toEither(found));
      expect(traversable.sequence(O.Applicative)(functor.map(tree, half))).toEqual(found);
      expect(traversable.traverse(getApplicative(Monoid))(tree, x => String(x) as never)).toBe(
        foldable.foldMap(Monoid)(tree, String),
      );
      expect(traversable.traverseWithIndex(O.Applicative)(tree, (_, x) => half(x))).toEqual(found);
    });
  });

  it('gives all trees where there are several outcomes', () => {
    const all = traverse(A.Applicative)({ b: 1, a: [2] }, x => [x, 10 * x]);
    expect(all).toEqual([
      { a: [2], b: 1 },
      { a: [2], b: 10 },
      { a: [20], b: 1 },
      { a: [20], b: 10 },
    ]);
  });

  it('runs effects in the order of the leaves, and of a long tree too', async () => {
    const seen: number[] = [];
    const note =
      (x: number): T.Task<number> =>
      async () =>
        seen.push(x);
    const tree = Array.from({ length: 2000 }, (_, i) => i);
    expect(await traverse(T.ApplicativeSeq)(tree, note)()).toEqual(tree.map(x => x + 1));
    expect(seen).toEqual(tree);
  });

  it('keeps the form of the tree in the type', () => {
    const params = { w: tensor([1, 2]), rest: [tensor(3)] as const };
    const shapes = traverse(E.Applicative)(params, x =>
      x.shape.length > 1 ? E.left('rank') : E.right(x.shape.length),
    );
    const typed: E.Either<string, { readonly w: number; readonly rest: readonly [number] }> = shapes;
    expect(typed).toEqual(E.right({ w: 1, rest: [0] }));
    const asText = traverse(E.Applicative)({ a: 1, b: [tensor([[1]])] }, () => E.left('nothing'));
    expect(asText).toEqual(E.left('nothing'));
    const loaded = traverse(TE.ApplicativePar)({ a: 'x' }, name => TE.right<Error, Tensor>(tensor(name.length)));
    expectTypeOf(loaded).toEqualTypeOf<TE.TaskEither<Error, { readonly a: Tensor }>>();
  });
});
