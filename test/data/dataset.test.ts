import { pipe } from 'fp-ts/lib/function.js';
import { add, arange, mul, reshape, type Tensor, tensor, vmap, zeros } from 'tenfold';
import { batch, type Dataset, fromArrays, map, prefetch, repeat, shuffle, shuffledIndices, take } from 'tenfold/data';
import { foldIn, type Key, key, normal, permutation, splitStack } from 'tenfold/random';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../helpers.js';

const numbers = (n: number): Dataset<Tensor<readonly []>> => fromArrays(arange(n)) as never;

const collect = async <T>(elements: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const element of elements) all.push(element);
  return all;
};

const valuesOf = async (elements: AsyncIterable<Tensor>): Promise<number[][]> =>
  (await collect(elements)).map(x => [...x.dataSync()]);

const sorted = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);
const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

describe('batches', () => {
  test('of rows of several tensors, in their order', async () => {
    const data = fromArrays({ x: reshape(arange(10), [5, 2]), y: [tensor([0, 1, 0, 1, 1]), null] as const });
    const seen = await collect(batch(data, 2));
    expect(seen.map(({ x }) => x.shape)).toEqual([
      [2, 2],
      [2, 2],
      [1, 2],
    ]);
    expect(seen.flatMap(({ x }) => [...x.dataSync()])).toEqual(upTo(10));
    expect(seen.flatMap(({ y }) => [...y[0].dataSync()])).toEqual([0, 1, 0, 1, 1]);
    expect(seen[0]!.y[1]).toBe(null);
    expect((await data.at(3)).x.toArray()).toEqual([6, 7]);
  });

  test.each(['uint8', 'int32', 'bool', 'float64'] as const)('of %s', async dtype => {
    const data = shuffle(fromArrays(zeros([3, 2], { dtype })), key(0));
    const [x] = await collect(batch(data, 3));
    expect([x!.dtype, x!.shape]).toEqual([dtype, [3, 2]]);
  });

  test.each([
    [10, 3, false, 4],
    [10, 3, true, 3],
    [12, 4, false, 3],
    [12, 4, true, 3],
    [2, 5, false, 1],
  ])('of %i by %i, dropLast %s, are %i', async (n, size, dropLast, count) => {
    const data = batch(numbers(n), size, { dropLast });
    expect([data.length, data.epochs, data.steps]).toEqual([count, 1, count]);
    const seen = await valuesOf(data);
    expect(seen.length).toBe(count);
    expect(seen.flat()).toEqual(upTo(dropLast ? count * size : n));
  });

  test('of what is no rows of tensors are stacked', async () => {
    const mapped = map(shuffle(numbers(7), key(3)), x => ({ x, twice: mul(x, 2) }));
    const seen = await collect(batch(mapped, 3));
    const plain = await valuesOf(batch(shuffle(numbers(7), key(3)), 3));
    expect(seen.map(({ x }) => [...x.dataSync()])).toEqual(plain);
    expect(seen.map(({ twice }) => [...twice.dataSync()])).toEqual(plain.map(row => row.map(x => 2 * x)));
    const pairs = await collect(batch(batch(numbers(8), 2), 2));
    expect(pairs.map(x => x.toArray())).toEqual([
      [
        [0, 1],
        [2, 3],
      ],
      [
        [4, 5],
        [6, 7],
      ],
    ]);
  });

  test('of elements that differ are refused', async () => {
    await expect(batch(batch(numbers(5), 2), 3).at(0)).rejects.toThrow(
      'batch: got float32[2] and float32[1] at (root); the elements of a batch have one shape and dtype',
    );
    const forms = map(numbers(2), (x, { step }) => (step === 0 ? [x] : { x }) as readonly Tensor[]);
    await expect(batch(forms, 2).at(0)).rejects.toThrow('batch: got a tree with a leaf at');
    await expect(batch(map(numbers(2), () => 3) as never, 2).at(0)).rejects.toThrow(
      'every leaf of the tree must be a tensor',
    );
  });
});

describe('shuffled', () => {
  test('every example once an epoch, each epoch in the order of its own key', async () => {
    const data = pipe(numbers(10), shuffle(key(1)), batch(4), repeat(3));
    const seen = await valuesOf(data);
    expect(seen.map(row => row.length)).toEqual([4, 4, 2, 4, 4, 2, 4, 4, 2]);
    for (const epoch of [0, 1, 2]) {
      const order = permutation(foldIn(key(1), epoch), 10);
      expect(seen.slice(3 * epoch, 3 * epoch + 3).flat()).toEqual([...order.dataSync()]);
    }
    expect(seen.slice(0, 3)).not.toEqual(seen.slice(3, 6));
  });

  test('the batches are those of shuffledIndices', async () => {
    const indices = shuffledIndices(key(5), 11, 3);
    const data = pipe(
      fromArrays(arange(11, { dtype: 'int32' })),
      shuffle(key(5)),
      batch(3, { dropLast: true }),
      repeat(),
    );
    for (const step of [0, 1, 2, 3, 7, 3000001]) {
      expect([...(await data.at(step)).dataSync()]).toEqual([...indices(step).dataSync()]);
    }
  });

  test('one by one, twice over, after a map and by the batch', async () => {
    const once = (await valuesOf(shuffle(numbers(9), key(2)))).flat();
    expect(sorted(once)).toEqual(upTo(9));
    expect(
      (
        await valuesOf(
          shuffle(
            map(numbers(9), x => x),
            key(2),
          ),
        )
      ).flat(),
    ).toEqual(once);
    const second = [...permutation(foldIn(key(4), 0), 9).dataSync()];
    const twice = (await valuesOf(shuffle(shuffle(numbers(9), key(2)), key(4)))).flat();
    expect(twice).toEqual(second.map(i => once[i]));
    const batches = await valuesOf(shuffle(batch(numbers(9), 3), key(2)));
    expect(batches.toSorted((a, b) => a[0]! - b[0]!)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7, 8],
    ]);
  });

  test('the key of a traced function is refused', () => {
    const traced = (k: Tensor): Tensor => {
      shuffle(numbers(3), k as Key);
      return k;
    };
    expect(caught(() => vmap(traced as never)(splitStack(key(0), 2) as never))._tag).toBe('TraceError');
  });
});

describe('resumption', () => {
  const pipeline = (): Dataset<{ readonly x: Tensor; readonly y: Tensor }> =>
    pipe(
      fromArrays({ x: normal(key(8), [23, 3]), y: arange(23, { dtype: 'int32' }) }),
      shuffle(key(9)),
      batch(4),
      map(({ x, y }, { step }) => ({
        x: add(x as Tensor, normal(foldIn(key(10), step), x.shape) as Tensor),
        y: y as Tensor,
      })),
      repeat(4),
      prefetch(3),
    );
  const bitsOf = async (elements: AsyncIterable<{ readonly x: Tensor; readonly y: Tensor }>): Promise<unknown> =>
    (await collect(elements)).map(({ x, y }) => [
      [...new Uint32Array(Float32Array.from(x.dataSync()).buffer)],
      [...y.dataSync()],
    ]);

  test('from any step gives bit for bit what an undisturbed run gives', async () => {
    const whole = (await bitsOf(pipeline())) as unknown[];
    expect(whole.length).toBe(24);
    for (const step of [0, 1, 5, 6, 13, 23, 24]) {
      expect(await bitsOf(pipeline().from(step)), `from ${step}`).toEqual(whole.slice(step));
    }
  });

  test('does not make the earlier elements', async () => {
    const made: number[] = [];
    const data = pipe(
      numbers(5),
      map((x, { step }) => {
        made.push(step);
        return x;
      }),
      repeat(),
    );
    expect(
      (
        await data
          .from(2 ** 33)
          [Symbol.asyncIterator]()
          .next()
      ).value?.item(),
    ).toBe(2 ** 33 % 5);
    expect(made).toEqual([2 ** 33]);
  });

  test('loops do not disturb each other', async () => {
    const data = pipe(numbers(6), shuffle(key(0)), batch(2), repeat(2));
    const alone = await valuesOf(data);
    const [a, b] = [data[Symbol.asyncIterator](), data.from(2)[Symbol.asyncIterator]()];
    const together: number[][][] = [[], []];
    for (let i = 0; i < 4; i++) {
      for (const [at, iterator] of [a, b].entries()) together[at]!.push([...(await iterator.next()).value!.dataSync()]);
    }
    expect(together).toEqual([alone.slice(0, 4), alone.slice(2, 6)]);
    const again = data.from(4);
    expect(await valuesOf(again)).toEqual(await valuesOf(again));
  });
});

describe('take and repeat', () => {
  test('of one epoch', async () => {
    const data = pipe(numbers(6), shuffle(key(1)), take(4));
    const all = (await valuesOf(pipe(numbers(6), shuffle(key(1)), repeat(2)))).flat();
    expect((await valuesOf(pipe(data, batch(3), repeat(2)))).flat()).toEqual([...all.slice(0, 4), ...all.slice(6, 10)]);
    expect(take(data, 99).steps).toBe(4);
    expect(sorted((await valuesOf(shuffle(take(numbers(6), 3), key(2)))).flat())).toEqual([0, 1, 2]);
  });

  test('across epochs', async () => {
    const all = (await valuesOf(pipe(numbers(4), shuffle(key(1)), repeat(4)))).flat();
    const some = pipe(numbers(4), shuffle(key(1)), repeat(), take(6));
    expect([some.length, some.epochs, some.steps]).toEqual([6, 1, 6]);
    expect((await valuesOf(repeat(some, 2))).flat()).toEqual([...all.slice(0, 6), ...all.slice(8, 14)]);
  });

  test('multiply, and have no end by default', () => {
    expect(pipe(numbers(4), repeat(2), repeat(3)).steps).toBe(24);
    expect(repeat(numbers(4)).steps).toBe(Number.POSITIVE_INFINITY);
    expect(repeat(numbers(4)).length).toBe(4);
  });
});

describe('types', () => {
  const data = fromArrays({ x: zeros([100, 8, 8]), y: [zeros([100], { dtype: 'int32' })] as const });

  test('of elements and batches', () => {
    type Element = {
      readonly x: Tensor<readonly [8, 8], 'float32'>;
      readonly y: readonly [Tensor<readonly [], 'int32'>];
    };
    expectTypeOf(data).toEqualTypeOf<Dataset<Element>>();
    const whole = pipe(data, shuffle(key(0)), batch(32, { dropLast: true }), repeat(), prefetch(2));
    expectTypeOf(whole.at).returns.resolves.toEqualTypeOf<{
      readonly x: Tensor<readonly [32, 8, 8], 'float32'>;
      readonly y: readonly [Tensor<readonly [32], 'int32'>];
    }>();
    const rest = batch(data, 32);
    expectTypeOf(rest.at)
      .returns.resolves.toHaveProperty('x')
      .toEqualTypeOf<Tensor<readonly [number, 8, 8], 'float32'>>();
    const mapped = pipe(
      whole,
      map(({ y }) => Promise.resolve(y[0])),
    );
    expectTypeOf(mapped).toEqualTypeOf<Dataset<Tensor<readonly [32], 'int32'>>>();
    expectTypeOf(fromArrays(zeros([3]) as Tensor)).toEqualTypeOf<Dataset<Tensor>>();
    expect([whole.length, rest.length]).toEqual([3, 4]);
  });

  test('first axes that differ do not compile', () => {
    // @ts-expect-error first axes of lengths 2 and 3 differ
    expect(() => fromArrays({ x: zeros([2, 4]), y: zeros([3]) })).toThrow(
      'fromArrays: got float32[3] at y beside float32[2, 4] at x',
    );
    // @ts-expect-error a scalar has no first axis
    expect(() => fromArrays([tensor(1)])).toThrow('fromArrays: got float32[] at [0]; the first axes');
    const n: number = 3;
    expect(fromArrays({ x: zeros([n, 2]), y: zeros([3]) }).length).toBe(3);
  });
});
