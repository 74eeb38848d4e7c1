/** Layers with other parameters, with some held, and the laws of their category. */
import * as fc from 'fast-check';
import { cast, grad, mul, relu, square, sum, type Tensor, tanh, tensor, transpose, zeros } from 'tenfold';
import {
  activation,
  category,
  compose,
  dropout,
  embedding,
  identity,
  linear,
  mapParams,
  sequential,
  withParams,
} from 'tenfold/nn';
import { adam, applyUpdates } from 'tenfold/optim';
import { key, normal } from 'tenfold/random';
import { leaves, map, paths, select, showPath } from 'tenfold/tree';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { caught, close } from '../helpers.js';

const x = normal(key(9), [5, 4]);

describe('mapParams', () => {
  it('applies the layer to what is read, and draws what is written', () => {
    const layer = linear(4, 3);
    const dense = mapParams(
      layer,
      (p: { readonly kernel: Tensor; readonly bias: Tensor }) => ({ weight: transpose(p.kernel), bias: p.bias }),
      p => ({ kernel: transpose(p.weight) as Tensor, bias: p.bias as Tensor }),
    );
    const params = dense.init(key(1));
    expect(params.kernel.shape).toEqual([4, 3]);
    const y = dense.apply(params, x);
    expectTypeOf(y).toEqualTypeOf<Tensor<readonly [5, 3], 'float32'>>();
    expect(y.toArray()).toEqual(layer.apply(layer.init(key(1)), x).toArray());
  });

  it('keeps identities and compositions', () => {
    const layer = sequential(linear(4, 3), activation(tanh), linear(3, 2));
    const params = layer.init(key(1));
    const [f, g] = [2, 0.5].map(factor => (p: typeof params) => map(p, (leaf: Tensor) => mul(leaf, factor) as Tensor));
    const same = mapParams(layer, p => p);
    expect(same.init(key(1))).toEqual(params);
    close(same.apply(params, x), layer.apply(params, x).toArray() as never);
    const once = mapParams(layer, p => g!(f!(p) as never));
    close(mapParams(mapParams(layer, g!), f! as never).apply(params, x), once.apply(params, x).toArray() as never);
  });

  it('is differentiated through', () => {
    const layer = mapParams(linear(4, 2), p => map(p, (leaf: Tensor) => square(leaf) as Tensor));
    const params = layer.init(key(2));
    const gradient = grad((p: typeof params) => sum(layer.apply(p, zeros([1, 4]))))(params);
    close(gradient.bias, mul(params.bias, 2).toArray());
  });

  it('hands other inputs on', () => {
    const layer = mapParams(dropout(0.5), p => p);
    close(
      layer.apply({}, x, { key: key(3) }),
      dropout(0.5)
        .apply({}, x, { key: key(3) })
        .toArray(),
    );
  });
});

describe('withParams', () => {
  const model = sequential(linear(4, 8), activation(relu), linear(8, 2));
  const params = model.init(key(0));

  it('computes the same from what is held and the others', () => {
    for (const pattern of ['0.*', '**.bias', '**']) {
      const tuned = withParams(model, select(params, pattern));
      const rest = select(
        params,
        (path, leaf) => !paths(select(params, pattern)).map(showPath).includes(showPath(path)) || leaf === undefined,
      );
      expect(tuned.apply(rest as never, x).toArray()).toEqual(model.apply(params, x).toArray());
      expect(paths(tuned.init(key(5)))).toEqual(paths(rest));
    }
  });

  it('draws the others as the layer does', () => {
    const tuned = withParams(model, select(params, '0.*'));
    const free = tuned.init(key(5));
    expect(leaves(free as unknown).map(leaf => (leaf as Tensor).toArray())).toEqual(
      leaves(select(model.init(key(5)), '2.*') as unknown).map(leaf => (leaf as Tensor).toArray()),
    );
  });

  it('takes null, or nothing, for whole parts', () => {
    const first = { weight: params[0].weight };
    const tuned = withParams(model, [first, {}, null]);
    const free = tuned.init(key(0));
    expect(paths(free).map(showPath)).toEqual(['[0].bias', '[2].bias', '[2].weight']);
    expectTypeOf(free[0].weight).toEqualTypeOf<null>();
    expectTypeOf(free[0].bias).toEqualTypeOf<Tensor<readonly [8]>>();
    expectTypeOf(free[2]).toEqualTypeOf<(typeof params)[2]>();
    const y = tuned.apply(free, x);
    expectTypeOf(y).toEqualTypeOf<Tensor<readonly [5, 2], 'float32'>>();
    expect(y.toArray()).toEqual(model.apply(params, x).toArray());
  });

  it('trains the others only', () => {
    const tuned = withParams(model, { ...([null, null, params[2]] as const) } as never);
    expect(caught(() => tuned.init(key(0)))._tag).toBe('TreeError');
    const head = withParams(model, [params[0], null, null]);
    const optimizer = adam(0.1);
    const start = head.init(key(0));
    const loss = (p: typeof start): Tensor => sum(square(head.apply(p, x))) as Tensor;
    const [updates] = optimizer.update(grad(loss)(start), optimizer.init(start), start);
    const next = applyUpdates(start, updates);
    expect(next[0]).toEqual({ weight: null, bias: null });
    expect(loss(next).item() as number).toBeLessThan(loss(start).item() as number);
  });

  it('says what does not fit', () => {
    const wrong = withParams(linear(4, 2), { bias: zeros([3]) });
    expect(caught(() => wrong.init(key(0))).message).toMatch(/withParams: got float32\[3\] at bias/);
    const tuned = withParams(linear(4, 2), { bias: zeros([2]) });
    const full = linear(4, 2).init(key(0));
    // @ts-expect-error The bias is held.
    expect(caught(() => tuned.apply(full, x)).message).toMatch(/withParams: .*at bias/);
  });
});

describe('the category of layers', () => {
  const [f, g, h] = [linear(4, 8), activation(tanh), linear(8, 3)];
  const same = (a: ReturnType<typeof category.compose>, b: typeof a): void => {
    const [p, q] = [a.init(key(7)), b.init(key(7))] as [never, never];
    expect(leaves(p).map(leaf => (leaf as Tensor).toArray())).toEqual(
      leaves(q).map(leaf => (leaf as Tensor).toArray()),
    );
    expect(paths(p)).toEqual(paths(q));
    const apply = (layer: typeof a, params: never): unknown =>
      (layer.apply(params, x as never, { key: key(1) }) as Tensor).toArray();
    expect(apply(a, p)).toEqual(apply(b, q));
  };

  it('has a neutral element on both sides', () => {
    for (const layer of [f, g, h, dropout(0.5), compose(g, f), sequential(f, g)]) {
      expect(category.compose(layer as never, category.id())).toBe(layer);
      expect(category.compose(category.id(), layer as never)).toBe(layer);
    }
    expect(compose(identity, identity)).toBe(identity);
    expect(identity.apply(identity.init(key(0)), x)).toBe(x);
  });

  it('is associative: in what it gives, in parameters, in keys', () => {
    same(category.compose(h, category.compose(g, f)) as never, category.compose(category.compose(h, g), f) as never);
    const pieces = [
      linear(4, 4),
      activation(relu),
      dropout(0.5),
      identity,
      linear(4, 4),
      sequential(linear(4, 4), dropout()),
    ];
    const layer = fc.constantFrom(...pieces);
    fc.assert(
      fc.property(fc.array(layer, { minLength: 3, maxLength: 6 }), fc.nat(), fc.nat(), (list, i, j) => {
        const [a, b] = [i % list.length, j % list.length].sort((m, n) => m - n) as [number, number];
        const chain = (part: readonly unknown[]): never =>
          part.reduce((before, next) => category.compose(next as never, before as never), identity as unknown) as never;
        const [first, second, third] = [list.slice(0, a), list.slice(a, b), list.slice(b)].map(chain) as [
          never,
          never,
          never,
        ];
        const left = category.compose(category.compose(third, second), first);
        const right = category.compose(third, category.compose(second, first));
        same(left as never, right as never);
        same(left as never, chain(list));
      }),
      { numRuns: 20 },
    );
  });

  it('composes as sequential does, with shapes in types', () => {
    const model = compose(h, compose(g, f));
    const params = model.init(key(3));
    expectTypeOf(params[2].weight).toEqualTypeOf<Tensor<readonly [3, 8]>>();
    expectTypeOf(compose(compose(h, g), f)).toEqualTypeOf<typeof model>();
    expectTypeOf(compose(f, identity)).toEqualTypeOf<typeof f>();
    const y = model.apply(params, x);
    expectTypeOf(y).toEqualTypeOf<Tensor<readonly [5, 3], 'float32'>>();
    expect(y.toArray()).toEqual(sequential(f, g, h).apply(params, x).toArray());
    // @ts-expect-error The second takes 8, the first gives 3.
    compose(linear(8, 2), h);
    const words = compose(linear(8, 3), embedding(10, 8));
    expect(words.apply(words.init(key(0)), cast(tensor([1, 2]), 'int32')).shape).toEqual([2, 3]);
  });
});
