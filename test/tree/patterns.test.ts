/** Leaves by where they are. */
import { pipe } from 'fp-ts/lib/function.js';
import { add, cast, mul, type Tensor, tensor, zeros } from 'tenfold';
import { linear, sequential } from 'tenfold/nn';
import { adam, multiTransform, scale } from 'tenfold/optim';
import { key } from 'tenfold/random';
import { flatten, leaves, map, mapWithPath, paths, select, showPath, update } from 'tenfold/tree';
import { describe, expect, expectTypeOf, it } from 'vitest';

const tree = {
  blocks: [
    { weight: 1, bias: 2 },
    { weight: 3, bias: 4 },
  ],
  head: { weight: 5, bias: 6 },
  none: null,
};

describe('patterns', () => {
  const chosen = (pattern: string): readonly string[] => paths(select(tree, pattern)).map(showPath);

  it('have a part for each step, with * for letters and ** for steps', () => {
    expect(chosen('**')).toEqual(paths(tree).map(showPath));
    expect(chosen('head.weight')).toEqual(['head.weight']);
    expect(chosen('blocks.*.weight')).toEqual(['blocks[0].weight', 'blocks[1].weight']);
    expect(chosen('blocks.1.**')).toEqual(['blocks[1].bias', 'blocks[1].weight']);
    expect(chosen('**.bias')).toEqual(['blocks[0].bias', 'blocks[1].bias', 'head.bias']);
    expect(chosen('*.w*t')).toEqual(['head.weight']);
    expect(chosen('h*d.*i*')).toEqual(['head.bias', 'head.weight']);
    expect(chosen('weight')).toEqual([]);
    expect(chosen('blocks')).toEqual([]);
  });

  it('choose for multiTransform what they choose for select', () => {
    const params = map(tree, x => tensor(x));
    for (const pattern of ['**.bias', 'blocks.**', 'head.w*', '**.0.*']) {
      const optimizer = multiTransform([
        [pattern, scale(1)],
        ['**', scale(0)],
      ]);
      const [updates] = optimizer.update(params, optimizer.init(params), params);
      const moved = paths(select(updates, (_, x: Tensor) => x.item() !== 0));
      expect(moved).toEqual(paths(select(params, pattern)));
    }
  });
});

describe('select', () => {
  it('keeps the form; the others are those of the opposite function', () => {
    const big = select(tree, (_, x) => x > 3);
    expect(big).toEqual({
      blocks: [
        { weight: null, bias: null },
        { weight: null, bias: 4 },
      ],
      head: { weight: 5, bias: 6 },
      none: null,
    });
    const small = select(tree, (_, x) => x <= 3);
    expect(new Set([...leaves(big), ...leaves(small)])).toEqual(new Set(leaves(tree)));
    expect(pipe(tree, select('head.*'))).toEqual(select(tree, 'head.*'));
    expectTypeOf(big.head.weight).toEqualTypeOf<number | null>();
    expectTypeOf(big.none).toEqualTypeOf<null>();
  });

  it('gives an optimizer the leaves that it is for', () => {
    const model = sequential(linear(2, 3), linear(3, 1));
    const params = model.init(key(0));
    // Two moments of each of two leaves are not there.
    const [all, some] = [adam(0.1).init(params), adam(0.1).init(select(params, '1.*'))].map(leaves);
    expect(all!.length - some!.length).toBe(4);
  });
});

describe('update', () => {
  it('is map at the chosen leaves, and changes no other', () => {
    const same = update(tree, '**.bias', x => 10 * x);
    expect(same).toEqual(mapWithPath(tree, (path, x) => (path.at(-1) === 'bias' ? 10 * x : x)));
    expect(
      pipe(
        tree,
        update('**.bias', (x: number) => 10 * x),
      ),
    ).toEqual(same);
    expect(update(tree, 'nowhere', x => 10 * x)).toEqual(tree);
    expect(Object.isFrozen(same.blocks[0])).toBe(true);
  });

  it('sees the names of a file as the paths they are', () => {
    const named = { 'blocks.0.weight': 1, 'blocks.0.bias': 2, head: { 'out.bias': 3 } };
    expect(leaves(select(named, '**.bias'))).toEqual([2, 3]);
    expect(leaves(select(named, 'blocks.0.weight'))).toEqual([1]);
    expect(leaves(select(named, 'blocks.*.*'))).toEqual([2, 1]);
    expect(leaves(select(named, '*.*'))).toEqual([]);
  });

  it('obeys the laws of a traversal', () => {
    const [f, g] = [(x: number) => x + 1, (x: number) => 2 * x];
    for (const pattern of ['**', '**.bias', 'blocks.0.*']) {
      expect(update(tree, pattern, x => x)).toEqual(tree);
      expect(update(update(tree, pattern, f), pattern, g)).toEqual(update(tree, pattern, x => g(f(x))));
    }
  });

  it('gives the type of the tree, or says what leaves may be', () => {
    expectTypeOf(update(tree, '**', x => 2 * x)).toEqualTypeOf<typeof tree>();
    expectTypeOf(update(tree, '**', String).head.bias).toEqualTypeOf<number | string>();
    const params = { w: zeros([2, 3]), b: zeros([2, 3]) };
    expectTypeOf(update(params, 'w', w => mul(w, 2))).toEqualTypeOf<typeof params>();
    expect(update(params, 'w', w => cast(w, 'float64')).w.dtype).toBe('float64');
  });
});

describe('types', () => {
  it('survive a round trip', () => {
    const { leaves: all, unflatten } = flatten(tree);
    expectTypeOf(unflatten(all)).toEqualTypeOf<typeof tree>();
    expect(unflatten(all)).toEqual(tree);
    const params = sequential(linear(2, 3), linear(3, 1)).init(key(0));
    const flat = flatten(params);
    const back: typeof params = flat.unflatten(flat.leaves);
    expect(back).toEqual(params);
    expectTypeOf(flat.unflatten(['a', 'b', 'c', 'd'])[0].weight).toEqualTypeOf<string>();
    expectTypeOf(map(map(tree, String), Number).blocks).toEqualTypeOf<
      readonly { readonly weight: number; readonly bias: number }[]
    >();
    expectTypeOf(map(params, x => x.shape)[1].bias).toEqualTypeOf<(typeof flat.leaves)[number]['shape']>();
    expect(map(params, (x: Tensor) => add(x, 1).shape)[1].weight).toEqual([1, 3]);
    const grown: typeof params = update(params, '**.bias', (x: Tensor) => add(x, 1));
    expect(grown[0].bias.shape).toEqual([3]);
  });
});
