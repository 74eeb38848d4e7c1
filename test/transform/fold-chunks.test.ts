/** A fold in chunks: the bits of the whole one, progress, and ways to stop. */
import { add, cast, type FoldChunk, fold, foldChunks, mul, sin, type Tensor, tensor } from 'tenfold';
import { bernoulli, foldIn, key, normal } from 'tenfold/random';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { preparedBy } from '../../src/tensor/evaluate.js';
import { caught } from '../helpers.js';

const wait = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds));

const collect = async <T>(iterable: AsyncIterable<T>): Promise<readonly T[]> => {
  const list: T[] = [];
  for await (const each of iterable) list.push(each);
  return list;
};

/** What an iteration throws. */
const thrownBy = async (iterable: AsyncIterable<unknown>): Promise<unknown> => {
  try {
    await collect(iterable);
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

const w = normal(key(1), [7]) as Tensor;
const step = (carry: Tensor, x: Tensor): Tensor => sin(add(mul(carry, w), x)) as Tensor;
const start = normal(key(2), [7]) as Tensor;

describe('foldChunks', () => {
  it('gives the carries of the fold after every so many steps, to the last bit', async () => {
    for (const length of [0, 1, 5, 12]) {
      const xs = normal(key(3), [length, 7]) as Tensor;
      for (const every of [1, 3, 4, 5, 12, 100]) {
        for (const reverse of [false, true]) {
          const chunks = await collect(foldChunks(step, { every, reverse })(start, xs));
          const steps = Array.from({ length: Math.ceil(length / every) }, (_, i) => Math.min(length, (i + 1) * every));
          expect(chunks.map(each => each.step)).toEqual(length === 0 ? [0] : steps);
          for (const { carry, step: done } of chunks) {
            const some = tensor(
              (xs.toArray() as number[][]).slice(reverse ? length - done : 0, reverse ? length : done),
            );
            const whole = done === 0 ? start : fold(step, { reverse })(start, some as Tensor);
            expect(carry.toArray()).toEqual(whole.toArray());
          }
        }
      }
    }
  });

  it('counts steps, draws what the whole fold draws, takes trees', async () => {
    const k = key(5);
    const walk = ({ at, seen }: { at: Tensor; seen: Tensor }, i: Tensor) => {
      const up = cast(bernoulli(foldIn(k, i), 0.5, [3]), 'int32');
      return { at: add(at, up) as Tensor, seen: add(seen, i) as Tensor };
    };
    const zero = { at: tensor([0, 0, 0], { dtype: 'int32' }) as Tensor, seen: tensor(0, { dtype: 'int32' }) as Tensor };
    const chunks = foldChunks(walk, { every: 10 })(zero, 25);
    expectTypeOf(chunks).toEqualTypeOf<AsyncIterable<FoldChunk<{ at: Tensor; seen: Tensor }>>>();
    const all = await collect(chunks);
    const whole = fold(walk)(zero, 25);
    expect(all.map(({ carry }) => carry.seen.item())).toEqual([45, 190, 300]);
    expect(all[2]!.carry.at.toArray()).toEqual(whole.at.toArray());
    const pairs = { a: tensor([1, 2, 3]) as Tensor, b: [tensor([10, 20, 30]) as Tensor] };
    const sums = foldChunks((c: Tensor, { a, b }: typeof pairs) => add(c, mul(a, b[0]!)) as Tensor, { every: 2 });
    expect((await collect(sums(tensor(0) as Tensor, pairs))).map(({ carry }) => carry.item())).toEqual([50, 140]);
  });

  it('is one program for all chunks, and one for what is left over', async () => {
    const run = foldChunks(step, { every: 10 });
    const made = async (length: number): Promise<number> => {
      const before = preparedBy().made;
      await collect(run(start, length));
      return preparedBy().made - before;
    };
    expect([await made(30), await made(100), await made(34), await made(74)]).toEqual([1, 0, 1, 0]);
  });

  it('can be iterated again, from the start, and by several at a time', async () => {
    const chunks = foldChunks(step, { every: 4 })(start, 12);
    const values = async () => (await collect(chunks)).map(({ carry }) => carry.toArray());
    const first = await values();
    const [second, third] = await Promise.all([values(), values()]);
    expect([second, third]).toEqual([first, first]);
  });

  it('computes nothing ahead, and lets timers have their turn between chunks', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 0);
    const chunks = foldChunks(step, { every: 1 })(start, 50);
    const seen: number[] = [];
    for await (const { step: done } of chunks) {
      seen.push(done);
      if (done % 10 === 0) {
        const before = performance.now();
        while (performance.now() - before < 2);
      }
    }
    clearInterval(timer);
    expect(seen.length).toBe(50);
    expect(ticks).toBeGreaterThan(2);
  });

  it('leaves nothing running when the loop is left', async () => {
    // What keeps the process alive; the test's own worker has some.
    const resources = (): number => process.getActiveResourcesInfo().filter(name => name !== 'Timeout').length;
    await wait(20);
    const idle = resources();
    let asked = 0;
    const signal = { throwIfAborted: () => void asked++ };
    for await (const { step: done } of foldChunks(step, { every: 2, signal })(start, 100)) if (done === 6) break;
    const before = asked;
    await wait(20);
    expect(asked).toBe(before);
    expect(resources()).toBe(idle);
    // A generator that is dropped half-way waits for nobody.
    const iterator = foldChunks(step, { every: 2, signal })(start, 100)[Symbol.asyncIterator]();
    await iterator.next();
    await wait(20);
    expect(asked).toBe(before + 1);
  });

  describe('throws the reason of its signal', () => {
    const runs = foldChunks(step, { every: 1, signal: AbortSignal.abort() });

    it('before the first step, if it is aborted by then', async () => {
      expect((await thrownBy(runs(start, 3))) as Error).toMatchObject({ name: 'AbortError' });
    });

    it('after the chunk in whose course it was aborted, by the loop itself or by an event', async () => {
      const controller = new AbortController();
      const seen: number[] = [];
      const chunks = foldChunks(step, { every: 5, signal: controller.signal })(start, 1000);
      const reason = new Error('enough');
      const failed = async () => {
        for await (const { step: done } of chunks) {
          seen.push(done);
          if (done === 15) controller.abort(reason);
        }
      };
      await expect(failed()).rejects.toBe(reason);
      expect(seen).toEqual([5, 10, 15]);

      const other = new AbortController();
      setTimeout(() => other.abort('stop'), 5);
      expect(await thrownBy(foldChunks(step, { every: 1, signal: other.signal })(start, 1_000_000))).toBe('stop');
    });

    it('even after the last chunk, so that who stops gets no result', async () => {
      const controller = new AbortController();
      const failed = async () => {
        for await (const _ of foldChunks(step, { every: 5, signal: controller.signal })(start, 5))
          controller.abort('late');
      };
      await expect(failed()).rejects.toBe('late');
    });
  });

  it.each<[string, () => unknown, string, RegExp]>([
    ['no function', () => foldChunks(1 as never, { every: 1 }), 'ArgumentError', /number 1/],
    ['no options', () => foldChunks(step, undefined as never), 'IndexError', /every undefined/],
    ['0 steps at a time', () => foldChunks(step, { every: 0 }), 'IndexError', /every 0/],
    ['half a step', () => foldChunks(step, { every: 0.5 }), 'IndexError', /every 0.5/],
    ['a tensor of steps', () => foldChunks(step, { every: tensor(2) as never }), 'TraceError', /every/],
    [
      'no signal',
      () => foldChunks(step, { every: 1, signal: true as never }),
      'ArgumentError',
      /boolean true as signal/,
    ],
    ['a number as carry', () => foldChunks(step, { every: 1 })(1 as never, 3), 'TreeError', /number 1/],
    ['a fraction of steps', () => foldChunks(step, { every: 1 })(start, 2.5), 'ArgumentError', /got 2.5 steps/],
    [
      'a scalar to run over',
      () => foldChunks(step, { every: 1 })(start, tensor(1) as Tensor),
      'ShapeError',
      /first axis/,
    ],
  ])('refuses %s, at once', (_, f, tag, message) => {
    const error = caught(f);
    expect([error._tag, error.operation]).toEqual([tag, 'foldChunks']);
    expect(error.message).toMatch(message);
  });

  it('refuses a carry that changes when it is asked for a chunk', async () => {
    const error = await thrownBy(foldChunks((_: Tensor) => tensor([1, 2]) as Tensor, { every: 1 })(start, 3));
    expect(error).toMatchObject({ _tag: 'ShapeError', operation: 'foldChunks' });
  });
});
