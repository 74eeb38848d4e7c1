/** Layers made of layers: what they are, their shapes in types, loops instead of copies. */
import { add, at, concat, explain, grad, jit, ones, relu, square, stack, sum, type Tensor, vmap, zeros } from 'tenfold';
import {
  activation,
  concatSkip,
  conv2d,
  dropout,
  linear,
  parallel,
  repeat,
  residual,
  sequential,
  transformerEncoderLayer,
} from 'tenfold/nn';
import { foldIn, key, normal, split } from 'tenfold/random';
import { leaves, map } from 'tenfold/tree';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { caught, close } from '../helpers.js';

const draw = (shape: readonly number[], seed = 0): Tensor => normal(key(seed), shape) as Tensor;
const block = sequential(linear(4, 8), activation(relu), linear(8, 4));
const x = normal(key(9), [5, 4]);

describe('residual', () => {
  it('adds what the layer makes of x', () => {
    const layer = residual(block);
    const params = layer.init(key(0));
    close(layer.apply(params, x), add(x, block.apply(params, x)).toArray());
    expectTypeOf(layer.apply(params, x)).toEqualTypeOf<Tensor<readonly [5, 4], 'float32'>>();
    const model = sequential(layer, residual(linear(4, 4)), linear(4, 2));
    expectTypeOf(model.apply(model.init(key(0)), x)).toEqualTypeOf<Tensor<readonly [5, 2], 'float32'>>();
  });

  it('takes no layer that changes the shape', () => {
    const layer = residual(linear(4, 3));
    // @ts-expect-error The layer gives [5, 3] for [5, 4].
    expect(caught(() => layer.apply(layer.init(key(0)), x)).message).toMatch(/residual: got float32\[5, 3\] from/);
  });

  it('passes on what the layer takes beside x', () => {
    const inner = transformerEncoderLayer(4, 2, { feedForward: 4 });
    const layer = residual(inner);
    const params = layer.init(key(0));
    close(
      layer.apply(params, x, { causal: true }),
      add(x as Tensor, inner.apply(params, x, { causal: true })).toArray() as never,
    );
  });
});

describe('concatSkip', () => {
  it('puts x before what the layer makes of it', () => {
    const layer = concatSkip(linear(4, 2));
    const params = layer.init(key(0));
    const y = layer.apply(params, x);
    expectTypeOf(y).toEqualTypeOf<Tensor<readonly [5, 6], 'float32'>>();
    expect(y.toArray()).toEqual(concat([x, linear(4, 2).apply(params, x)], { axis: 1 }).toArray());
    const dense = sequential(concatSkip(conv2d(3, 8, 3, { padding: 1 })), conv2d(11, 2, 1));
    const z = dense.apply(dense.init(key(0)), zeros([2, 3, 6, 6]));
    expectTypeOf(z).toEqualTypeOf<Tensor<readonly [2, 2, 6, 6], 'float32'>>();
    expect(z.shape).toEqual([2, 2, 6, 6]);
  });
});

describe('parallel', () => {
  it('joins what several layers make of the same', () => {
    const [a, b] = [linear(4, 2), linear(4, 3)];
    const layer = parallel([a, b], ys => concat(ys, { axis: 1 }) as Tensor);
    const params = layer.init(key(0));
    expectTypeOf(params[1].weight).toEqualTypeOf<Tensor<readonly [3, 4]>>();
    const wanted = concat([a.apply(params[0], x), b.apply(params[1], x)], { axis: 1 });
    expect(layer.apply(params, x).toArray()).toEqual(wanted.toArray());
  });

  it('gives each its own key, and the same of everything else', () => {
    const layer = parallel([dropout(0.5), dropout(0.5)], ys => stack(ys) as Tensor);
    const [a, b] = layer.apply([{}, {}], ones([64]), { key: key(1) }).toArray() as number[][];
    expect(a).not.toEqual(b);
    // Of 64 pairs that have nothing to do with each other some are both kept, and some of each kind are not.
    const kinds = new Set(a!.map((value, i) => `${value} ${b![i]}`));
    expect([...kinds].sort()).toEqual(['0 0', '0 2', '2 0', '2 2']);
    expect(layer.apply([{}, {}], ones([64]), {}).toArray()).toEqual(ones([2, 64]).toArray());
  });
});

describe('repeat', () => {
  const layer = repeat(residual(block), 6);
  const params = layer.init(key(0));

  it('applies the layer with each of the parameters, one after the other', () => {
    const keys = split(key(0), 6);
    const wanted = keys.reduce((h: Tensor, each) => residual(block).apply(residual(block).init(each), h as never), x);
    close(layer.apply(params, x), wanted.toArray() as never);
    expectTypeOf(layer.apply(params, x)).toEqualTypeOf<Tensor<readonly [5, 4], 'float32'>>();
    expect(params[0].weight.shape).toEqual([6, 8, 4]);
  });

  it('gives the same in jit and vmap, and in float64', () => {
    const y = layer.apply(params, x).toArray();
    close(jit(layer.apply as (p: typeof params, v: Tensor) => Tensor)(params, x), y);
    close(vmap((v: Tensor) => layer.apply(params, v as never) as Tensor)(x) as Tensor, y);
    expect(layer.apply(params, zeros([5, 4], { dtype: 'float64' })).dtype).toBe('float64');
    expect(layer.apply(params, zeros([5, 4], { dtype: 'int32' })).dtype).toBe('float32');
  });

  it('has gradients as those of the copies, whatever it keeps', () => {
    const lossOf = (l: typeof layer) => (p: typeof params) => sum(square(l.apply(p, x))) as Tensor;
    const g = leaves(grad(lossOf(layer))(params) as never) as readonly Tensor[];
    const few = leaves(
      grad(lossOf(repeat(residual(block), 6, { segments: 'sqrt' })))(params) as never,
    ) as readonly Tensor[];
    for (const [i, each] of g.entries()) close(few[i]!, each.toArray() as never);
    const copies = (p: typeof params): Tensor => {
      const each = (i: number) => map(p as never, ((v: Tensor) => at(v, i)) as never) as never;
      return sum(
        square(
          Array.from({ length: 6 }, (_, i) => i).reduce(
            (h: Tensor, i) => residual(block).apply(each(i), h as never),
            x,
          ),
        ),
      ) as Tensor;
    };
    const all = leaves(grad(copies)(params) as never) as readonly Tensor[];
    for (const [i, each] of all.entries()) close(g[i]!, each.toArray() as never, 1e-4);
  });

  it('is compiled as one, however many there are', () => {
    const size = (count: number): number => {
      const many = repeat(residual(block), count);
      return explain((p: object, v: Tensor) => many.apply(p as never, v as never) as Tensor)(
        many.init(key(0)),
        x,
      ).toString().length;
    };
    expect(Math.abs(size(100) - size(2))).toBeLessThan(0.1 * size(2));
  });

  it('gives each its own key, and the same of everything else', () => {
    const inner = transformerEncoderLayer(4, 2, { feedForward: 4, dropout: 0.5 });
    const deep = repeat(inner, 3);
    const p = deep.init(key(1));
    const wanted = [0, 1, 2].reduce(
      (h, i) =>
        inner.apply(map(p as never, ((v: Tensor) => at(v, i)) as never) as never, h, {
          causal: true,
          key: foldIn(key(5), i),
        }),
      draw([2, 5, 4]),
    );
    close(deep.apply(p as never, draw([2, 5, 4]), { causal: true, key: key(5) }), wanted.toArray() as never, 1e-5);
  });
});
