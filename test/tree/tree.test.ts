import * as fc from 'fast-check';
import { pipe } from 'fp-ts/lib/function.js';
import { add, type Tensor, tensor } from 'tenfold';
import { applyUpdates } from 'tenfold/optim';
import { flatten, leaves, map, mapWithPath, reduce, showPath, type Tree, zipWith } from 'tenfold/tree';
import { describe, expect, it } from 'vitest';
import { caught } from '../helpers.js';

/** Trees of numbers. */
const trees = fc.letrec<{ tree: Tree<number> }>(tie => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.constant(null),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('tree'), { maxKeys: 4 }),
  ),
})).tree;

describe('trees', () => {
  it('visit record keys sorted, whatever order they were written in', () => {
    expect(leaves({ b: 1, a: { d: 2, c: 3 } })).toEqual([3, 2, 1]);
    expect(flatten({ b: 1, a: [5, 6] }).paths.map(showPath)).toEqual(['a[0]', 'a[1]', 'b']);
    expect(showPath([])).toBe('(root)');
  });

  it('null is an empty tree; a tensor, a function, a class instance are leaves', () => {
    const f = (): number => 1;
    const date = new Date(0);
    expect(leaves([null, f, date, 'text'])).toEqual([f, date, 'text']);
    expect(leaves({ x: tensor([1, 2]) })).toHaveLength(1);
  });

  it('give frozen results and leave their arguments alone', () => {
    const tree = { a: [1, 2] };
    const mapped = map(tree, (x: number) => x + 1);
    expect(Object.isFrozen(mapped) && Object.isFrozen(mapped.a)).toBe(true);
    expect(tree).toEqual({ a: [1, 2] });
  });

  it('keys like __proto__ are keys', () => {
    const tree = JSON.parse('{"__proto__": 1, "a": 2}') as Record<string, number>;
    const mapped = map(tree, (x: number) => x * 2);
    expect(Object.keys(mapped).sort()).toEqual(['__proto__', 'a']);
    expect(Object.getPrototypeOf(mapped)).toBe(Object.prototype);
  });

  it('are rebuilt as they were flattened, whatever became of the tree since', () => {
    const tree: { a: unknown; b: number[]; c?: number } = { a: 1, b: [2] };
    const { unflatten } = flatten(tree);
    tree.a = { x: 1, y: 2 };
    tree.b.push(3);
    tree.c = 4;
    expect(unflatten([5, 6])).toEqual({ a: 5, b: [6] });
  });

  it('holes of an array are the leaves that they read as', () => {
    // biome-ignore lint/suspicious/noSparseArray: what this is about
    const sparse = [1, , 3] as number[];
    const { leaves: all, paths, unflatten } = flatten(sparse);
    expect(all).toEqual([1, undefined, 3]);
    expect(paths).toEqual([[0], [1], [2]]);
    expect(unflatten([7, 8, 9])).toEqual([7, 8, 9]);
    const tensors = [tensor([1]), undefined as unknown as Tensor];
    expect(caught(() => applyUpdates(tensors, tensors)).message).toMatch(/got undefined at \[1\]/);
  });

  it('no two places look the same in words', () => {
    const tree = { 'a.b': { c: 1 }, a: { 'b.c': 2, b: { c: 3 }, '[0]': 4, '': 5 }, '': 6 };
    const shown = flatten(tree).paths.map(showPath);
    expect(shown).toEqual(['[""]', 'a[""]', 'a["[0]"]', 'a.b.c', 'a["b.c"]', '["a.b"].c']);
  });

  it('obey the functor laws, in both argument orders', () => {
    fc.assert(
      fc.property(trees, (tree: unknown) => {
        const [f, g] = [(x: unknown) => (x as number) + 1, (x: unknown) => (x as number) * 2];
        expect(map(tree, x => x)).toEqual(tree);
        expect(map(map(tree, f), g)).toEqual(map(tree, x => g(f(x))));
        expect(pipe(tree, map(f))).toEqual(map(tree, f));
        const { leaves: all, unflatten } = flatten(tree);
        expect(unflatten(all)).toEqual(tree);
      }),
    );
  });

  it('mapWithPath hands over the path, map does not; reduce and zipWith go in order', () => {
    expect(mapWithPath({ a: [0, 0] }, path => showPath(path))).toEqual({ a: ['a[0]', 'a[1]'] });
    expect(map({ a: [0] }, (...given: readonly unknown[]) => given.length)).toEqual({ a: [1] });
    expect(reduce({ b: 'y', a: 'x' }, (text, leaf) => text + leaf, '')).toBe('xy');
    const sum = zipWith((x: Tensor, y: Tensor) => add(x, y), { w: tensor([1]) }, { w: tensor([2]) });
    expect(sum.w.toArray()).toEqual([3]);
  });

  it('refuse trees of another form, naming the place', () => {
    const error = caught(() => zipWith((x: number, y: number) => x + y, { a: [1, 2] }, { a: [1] } as never));
    expect(error._tag).toBe('TreeError');
    expect(error.message).toContain('zipWith: got a tree with a leaf at a[1] and one with a leaf at no such place');
    expect(caught(() => flatten({ a: 1 }).unflatten([])).message).toMatch(/unflatten: got 0 leaves for a tree of 1/);
  });
});
