/** Tensors of more than 2^24 elements, where a float32 no longer holds every index, and kernels that read or make many. */
import { existsSync } from 'node:fs';
import {
  add,
  arange,
  argmax,
  concat,
  DeviceError,
  type DeviceMode,
  device,
  deviceInfo,
  jit,
  max,
  mul,
  pad,
  permute,
  reshape,
  sum,
  type Tensor,
  take,
  tensor,
  transpose,
  zeros,
} from 'tenfold';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(swiftShader)) process.env.VK_DRIVER_FILES ??= swiftShader;

/** Below 2^20, so that sums with one digit are exact; neighbours in memory and 2^k apart differ. */
const element = (i: number): number => (i * 7919) % 1000003;

const counted = (size: number): Float32Array => {
  const array = new Float32Array(size);
  for (let i = 0; i < size; i++) array[i] = element(i);
  return array;
};

const data = (x: unknown): Promise<ArrayLike<number>> => (x as Tensor).data() as Promise<ArrayLike<number>>;

/** Places all over, the last and those around 2^24 among them. */
const places = (size: number): readonly number[] => {
  const found = new Set<number>();
  for (let i = 0; i < 20_000; i++) found.add((i * 104_729) % size);
  for (let i = -40; i < 40; i++) for (const at of [2 ** 24, 2 ** 25, size]) found.add(at + i);
  return [...found].filter(i => i >= 0 && i < size);
};

/** How many of the places differ, and the first of them. */
const wrong = (got: ArrayLike<number>, size: number, expected: (i: number) => number): unknown => {
  expect(got.length).toBe(size);
  const off = places(size).filter(i => got[i] !== expected(i));
  return off.length === 0 ? null : { places: off.length, first: off[0], got: got[off[0]!], not: expected(off[0]!) };
};

const [long, row] = [2 ** 24 + 3, 4099];

const onEach = (mode: DeviceMode, shapes: readonly (readonly number[])[]): void => {
  describe(`beyond 2^24 elements on ${mode}`, () => {
    let values: Float32Array;
    beforeAll(async () => {
      expect((await device('gpu', { mode })).mode).toBe(mode);
      values = counted(2 ** 24 + 2 ** 16);
    }, 60_000);
    afterAll(() => device('cpu'));
    const first = (size: number): Tensor => tensor(values.subarray(0, size)) as Tensor;

    it('a flat kernel computes every element', async () => {
      expect(wrong(await data(add(mul(first(long), 2), 1)), long, i => 2 * element(i) + 1)).toBeNull();
    });

    it.each(shapes)('an array of %i × %i × %i turned around is where it should be', async (...shape) => {
      const size = shape.reduce((p, n) => p * n, 1);
      expect(size).toBeGreaterThan(2 ** 24);
      const [a, b, c] = shape as unknown as readonly [number, number, number];
      const y = reshape(tensor(size > values.length ? counted(size) : values.subarray(0, size)), shape);
      const got = await data(add(permute(y as Tensor, [2, 1, 0]), arange(a) as never));
      const expected = (i: number): number => {
        const [outer, middle, inner] = [Math.floor(i / (a * b)), Math.floor(i / a) % b, i % a];
        return Math.fround(element((inner * b + middle) * c + outer) + inner);
      };
      expect(wrong(got, size, expected)).toBeNull();
    });

    it('indices as int32 are exact', async () => {
      const got = await data(arange(long, { dtype: 'int32' }));
      expect(got).toBeInstanceOf(Int32Array);
      expect(wrong(got, long, i => i)).toBeNull();
      // Two floats an element: 2^24 of them are 2^23 elements. 2^23 + 9 is a prime.
      const half = 2 ** 23 + 9;
      expect(wrong(await data(mul(arange(half, { dtype: 'int32' }), 3)), half, i => 3 * i)).toBeNull();
    });

    it('reductions take in every element', async () => {
      for (const size of [2 ** 24 + 1, long]) {
        const last = new Float32Array(size);
        last[size - 1] = 5;
        last[size - 2] = 3;
        const y = tensor(last) as Tensor;
        expect((await data(max(y)))[0]).toBe(5);
        expect((await data(sum(y)))[0]).toBe(8);
      }
      // Modulo 2^32, as int32 sums are.
      const total = BigInt.asIntN(32, (BigInt(long) * BigInt(long - 1)) / 2n);
      expect((await data(sum(arange(long, { dtype: 'int32' }))))[0]).toBe(Number(total));
    });

    it('a reduction along two axes that are not next to each other in memory takes in every element', async () => {
      const y = reshape(first(row * 4101), [row, 4101]) as Tensor;
      // Small integers, whose sum in float32 would round: as int32 it does not.
      const turned = sum(mul(transpose(y), reshape(arange(row), [1, row]) as never) as Tensor) as Tensor;
      let exact = 0;
      for (let i = 0; i < row * 4101; i++) exact += element(i) * Math.floor(i / 4101);
      expect(Math.abs((await data(turned))[0]! / exact - 1)).toBeLessThan(1e-6);
    });
  });
};

onEach('webgpu', [
  // Grids of two and three axes.
  [4099, 1, 4101],
  [257, 263, 271],
  // Longer than such a grid is in y, and in x.
  [64, 1, 262147],
  [16, 1, 1048583],
  [600011, 1, 33],
  [5592407, 1, 3],
  [3, 2, 2796221],
  [2, 8388617, 1],
]);

onEach('webasm', [[600011, 1, 33]]);
onEach('cpu', [[3, 2, 2796221]]);

describe('limits of a device', () => {
  beforeAll(async () => {
    expect((await device('gpu', { mode: 'webgpu' })).mode).toBe('webgpu');
  }, 60_000);
  afterAll(() => device('cpu'));

  it('what is put at places and taken from them beyond 2^24', async () => {
    const values = counted(long);
    const x = tensor(values) as Tensor;
    expect(
      wrong(await data(pad(x, [[5, 2]])), long + 7, i => (i < 5 || i >= long + 5 ? 0 : element(i - 5))),
    ).toBeNull();
    const joined = await data(concat([x, tensor([1, 2, 3])] as never));
    expect(wrong(joined, long + 3, i => (i < long ? element(i) : i - long + 1))).toBeNull();
    const at = [0, 2 ** 24 - 1, 2 ** 24, 2 ** 24 + 1, 2 ** 24 + 2, 7];
    expect([...Array.from(await data(take(x, tensor(at, { dtype: 'int32' }) as never)))]).toEqual(at.map(element));
    const peak = values.slice();
    peak[2 ** 24 + 1] = 2e6;
    expect((await data(argmax(tensor(peak))))[0]).toBe(2 ** 24 + 1);
  });

  const refusal = async (f: () => unknown): Promise<unknown> => {
    try {
      return await data(f());
    } catch (error) {
      return error;
    }
  };

  it('a result that no buffer holds is refused by an error that names the limit, and work goes on', async () => {
    const most = deviceInfo().limits.maxStorageBufferBindingSize! / 4;
    const error = await refusal(() => add(zeros([2, most / 2 + 8]), 1));
    expect(error).toBeInstanceOf(DeviceError);
    expect(`${error}`).toContain(`at most ${most} numbers`);
    expect(Array.from(await data(add(tensor([1, 2]), 1)))).toEqual([2, 3]);
  });

  it('a reduction of more terms than integers count is refused likewise, however little is stored', async () => {
    const error = await refusal(() =>
      jit((x: Tensor) => sum(mul(arange(2 ** 30 + 8), x) as Tensor))(tensor(3) as Tensor),
    );
    expect(error).toBeInstanceOf(DeviceError);
    expect(`${error}`).toContain(`only up to ${2 ** 30}`);
  });
});
