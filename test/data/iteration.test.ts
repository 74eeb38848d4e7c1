import { pipe } from 'fp-ts/lib/function.js';
import { arange, realize, type Tensor, zeros } from 'tenfold';
import { type Dataset, fromArrays, map, prefetch, type Signal } from 'tenfold/data';
import { describe, expect, expectTypeOf, test } from 'vitest';

const numbers = (n: number): Dataset<Tensor<readonly []>> => fromArrays(arange(n)) as never;

const collect = async <T>(elements: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const element of elements) all.push(element);
  return all;
};

const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** A promise and who settles it. */
const deferred = (): { readonly promise: Promise<void>; readonly resolve: () => void } => {
  let resolve = (): void => undefined;
  const promise = new Promise<void>(settle => {
    resolve = settle;
  });
  return { promise, resolve };
};

describe('prefetch', () => {
  test('begins so many elements before they are asked for, and no more', async () => {
    const begun: number[] = [];
    const data = pipe(
      numbers(6),
      map(async (x, { step }) => {
        begun.push(step);
        return x;
      }),
      prefetch(2),
    );
    const iterator = data[Symbol.asyncIterator]();
    expect(begun).toEqual([]);
    expect((await iterator.next()).value?.item()).toBe(0);
    expect(begun).toEqual([0, 1, 2]);
    await iterator.next();
    expect(begun).toEqual([0, 1, 2, 3]);
    expect((await collect({ [Symbol.asyncIterator]: () => iterator })).map(x => x.item())).toEqual([2, 3, 4, 5]);
    expect(begun).toEqual(upTo(6));
  });

  test('keeps the order where a later element is ready first', async () => {
    const gates = [deferred(), deferred(), deferred()];
    const data = prefetch(
      map(numbers(3), async (x, { step }) => {
        await gates[step]!.promise;
        return x.item();
      }),
      2,
    );
    const seen = collect(data);
    for (const { resolve } of gates.toReversed()) {
      resolve();
      await Promise.resolve();
    }
    expect(await seen).toEqual([0, 1, 2]);
  });

  test('an element that fails is told when its turn comes, and ends the loop', async () => {
    const data = prefetch(
      map(numbers(4), (x, { step }) => {
        if (step === 1) throw new Error('no such file');
        return x;
      }),
      3,
    );
    const iterator = data[Symbol.asyncIterator]();
    expect((await iterator.next()).value?.item()).toBe(0);
    await expect(iterator.next()).rejects.toThrow('no such file');
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});

describe('leaving', () => {
  /** Elements that wait until they are aborted, from the second on. */
  const slow = (): { readonly data: Dataset<number>; readonly begun: number[]; readonly aborted: number[] } => {
    const [begun, aborted]: [number[], number[]] = [[], []];
    const data = pipe(
      numbers(9),
      map((x: Tensor, { step, signal }) => {
        begun.push(step);
        if (step === 0) return Promise.resolve(Number(x.item()));
        return new Promise<number>((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(step);
            reject(signal.reason);
          });
        });
      }),
      prefetch(2),
    );
    return { data, begun, aborted };
  };

  test('a loop early aborts what was begun, and begins nothing more', async () => {
    const { data, begun, aborted } = slow();
    for await (const x of data) {
      expect(x).toBe(0);
      break;
    }
    expect([begun, aborted]).toEqual([
      [0, 1, 2],
      [1, 2],
    ]);
  });

  test('an iterator that waits answers at once', async () => {
    const { data, begun, aborted } = slow();
    const iterator = data[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = [iterator.next(), iterator.next()];
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(await Promise.all(waiting)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
    expect([begun, aborted]).toEqual([
      [0, 1, 2],
      [1, 2],
    ]);
    expect((await iterator.next()).done).toBe(true);
  });

  test('by a signal rejects what waits, with its reason, and what is asked later', async () => {
    const { data, aborted } = slow();
    const controller = new AbortController();
    const iterator = data.from(0, { signal: controller.signal })[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = iterator.next();
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(iterator.next()).rejects.toThrow('enough');
    expect(aborted).toEqual([1, 2]);
  });

  test('by a signal between two elements, and before the first', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const x of numbers(9).from(3, { signal: controller.signal })) {
        seen.push(Number(x.item()));
        if (seen.length === 2) controller.abort();
      }
    };
    await expect(loop()).rejects.toMatchObject({ name: 'AbortError' });
    expect(seen).toEqual([3, 4]);
    await expect(loop()).rejects.toMatchObject({ name: 'AbortError' });
    expect(seen).toEqual([3, 4]);
  });

  test('in whatever way, the signal is let go of', async () => {
    const { signal } = new AbortController();
    const listeners = new Set<unknown>();
    const [on, off] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof on>) => {
      listeners.add(args[1]);
      on(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof off>) => {
      listeners.delete(args[1]);
      off(...args);
    };
    const counts: number[] = [];
    for await (const _ of numbers(3).from(0, { signal })) counts.push(listeners.size);
    expect(counts).toEqual([1, 1, 0]);
    for await (const _ of numbers(3).from(0, { signal })) {
      expect(listeners.size).toBe(1);
      break;
    }
    expect(listeners.size).toBe(0);
    const failing = map(numbers(3), () => Promise.reject(new Error('no')));
    await expect(collect(failing.from(0, { signal }))).rejects.toThrow('no');
    expect(listeners.size).toBe(0);
  });

  test.each(['left', 'finished', 'aborted'])(
    'an iterator that is %s holds no data, though it is held itself',
    async how => {
      const controller = new AbortController();
      const start = async (): Promise<readonly [AsyncIterator<unknown>, WeakRef<Tensor>]> => {
        const x = realize(zeros([4, 100]));
        const iterator = prefetch(fromArrays(x), 1).from(0, { signal: controller.signal })[Symbol.asyncIterator]();
        await iterator.next();
        return [iterator, new WeakRef<Tensor>(x)];
      };
      const isHeld = async (ref: WeakRef<Tensor>): Promise<boolean> => {
        for (let i = 0; i < 3; i++) {
          await new Promise(resolve => setTimeout(resolve, 1));
          (globalThis as unknown as { gc(): void }).gc();
        }
        return ref.deref() !== undefined;
      };
      const [iterator, ref] = await start();
      expect(await isHeld(ref)).toBe(true);
      if (how === 'left') await iterator.return?.();
      else if (how === 'finished') for (let i = 0; i < 4; i++) await iterator.next();
      else controller.abort();
      expect(await isHeld(ref)).toBe(false);
      const next = iterator.next();
      if (how === 'aborted') await expect(next).rejects.toMatchObject({ name: 'AbortError' });
      else expect((await next).done).toBe(true);
    },
  );

  test('several questions at a time at the end', async () => {
    const iterator = prefetch(numbers(2), 1)[Symbol.asyncIterator]();
    const answers = await Promise.all([iterator.next(), iterator.next(), iterator.next()]);
    expect(answers.map(({ done, value }) => (done ? null : (value as Tensor).item()))).toEqual([0, 1, null]);
  });
});

test('the signal is the platform’s own', () => {
  expectTypeOf<Signal>().toEqualTypeOf<AbortSignal>();
});
