/** Where float32 on a device could lose digits or the special numbers: long sums, large offsets, infinities, NaN. */
import { existsSync } from 'node:fs';
import * as tenfold from 'tenfold';
import { type DeviceMode, device, type Tensor, tensor } from 'tenfold';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(swiftShader)) process.env.VK_DRIVER_FILES ??= swiftShader;

/** Ranks are not what is tried here. */
type Operation = (...args: readonly unknown[]) => Tensor;
const { add, argmax, argmin, argsort, cumsum, grad, logSoftmax, logsumexp, max, maxPool2d, mean } =
  tenfold as unknown as Readonly<
    Record<
      'add' | 'argmax' | 'argmin' | 'argsort' | 'cumsum' | 'logSoftmax' | 'logsumexp' | 'max' | 'maxPool2d' | 'mean',
      Operation
    > &
      Record<'grad', (f: Operation) => Operation>
  >;
const { min, mul, relu, reshape, softmax, sort, square, sub, sum, variance, where } = tenfold as unknown as Readonly<
  Record<
    'min' | 'mul' | 'relu' | 'reshape' | 'softmax' | 'sort' | 'square' | 'sub' | 'sum' | 'variance' | 'where',
    Operation
  >
>;

/** Evenly in [0, 1), the same every time (Park and Miller). */
const uniform = (size: number, seed = 1): Float32Array => {
  let state = seed;
  return Float32Array.from({ length: size }, () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  });
};

const dataOf = async (x: Tensor): Promise<Float32Array> => (await x.data()) as Float32Array;
const one = async (x: Tensor): Promise<number> => (await dataOf(x))[0]!;
const total = (list: Float32Array): number => list.reduce((all, each) => all + each, 0);

/** Without the device: what CPU and reference give, which other tests hold against NumPy. */
const special = (): readonly (readonly [string, Tensor])[] => {
  const mixed = [3, nan, -inf, 1, inf, nan, -0, 0, -2.5, 1e38, 2e-38];
  const x = tensor(mixed) as Tensor;
  const cells = [1, nan, 3, 4, 5, 6, 7, 8, -inf, -inf, 2, inf, -inf, -inf, nan, 1];
  const square4 = reshape(tensor(cells), [4, 4]);
  const without = reshape(tensor(cells.map(each => (Number.isNaN(each) ? 0 : each))), [4, 4]);
  const pooled = (y: unknown): Tensor => maxPool2d(reshape(y, [1, 1, 4, 4]), 2);
  const pairs = tensor([
    [1e4, 1e4],
    [-1e4, -1e4],
    [-inf, -inf],
    [inf, 1],
    [nan, 1],
    [-inf, 3],
    [88.7, 88.7],
    [-200, -104],
  ]);
  const long = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i));
  long[4321] = nan;
  const masked = where(tensor([true, false, true]), tensor([1, 2, 3]), -inf);
  return [
    ['max pooling', pooled(square4)],
    ['its gradient', grad((y: unknown) => sum(pooled(y)))(without)],
    ['sorting', sort(x)],
    ['positions that sort', argsort(x)],
    ['argmax', argmax(x)],
    ['argmin', argmin(x)],
    ['argmax along rows', argmax(square4, { axis: 1 })],
    ['max', max(square4, { axis: 1 })],
    ['min', min(square4, { axis: 0 })],
    ['max of many', max(tensor(long))],
    ['argmax of many', argmax(tensor(long))],
    ['sum of many', sum(tensor(long))],
    ['relu', relu(x)],
    ['the gradient of relu', grad((y: unknown) => sum(relu(y)))(tensor([3, -inf, 1, inf, 0, -2]))],
    ['running sums', cumsum(tensor([1, inf, 2, -inf, 3]))],
    ['logsumexp', logsumexp(pairs, { axis: 1 })],
    [
      'logSoftmax',
      logSoftmax(
        tensor([
          [1e4, 0],
          [-inf, 0],
          [0, -200],
        ]),
      ),
    ],
    [
      'the gradient of a masked softmax',
      grad((y: unknown) => sum(square(softmax(add(y, mul(masked, 1))))))(tensor([1, 2, 3])),
    ],
    ['∞ − ∞', sub(x, x)],
    ['0 · ∞', mul(x, 0)],
  ];
};

const [inf, nan] = [Number.POSITIVE_INFINITY, Number.NaN];

for (const mode of ['webgpu', 'webasm'] as const satisfies readonly DeviceMode[]) {
  describe(`on ${mode}`, () => {
    beforeAll(async () => {
      expect((await device('gpu', { mode })).mode).toBe(mode);
    }, 60_000);
    afterAll(() => device('cpu'));

    it('sums of 10^6 numbers are right to 10^-6, whichever way they lie', async () => {
      const list = uniform(1_000_000);
      const exact = total(list);
      const x = tensor(list) as Tensor;
      expect(Math.abs((await one(sum(x))) / exact - 1)).toBeLessThan(1e-6);
      expect(Math.abs((await one(mean(x))) / (exact / 1e6) - 1)).toBeLessThan(1e-6);
      const columns = await dataOf(sum(reshape(x, [250_000, 4]), { axis: 0 }));
      const rows = await dataOf(sum(reshape(x, [4, 250_000]), { axis: 1 }));
      for (let i = 0; i < 4; i++) {
        const own = total(list.filter((_, at) => at % 4 === i));
        expect(Math.abs(columns[i]! / own - 1)).toBeLessThan(1e-6);
        expect(Math.abs(rows[i]! / total(list.subarray(i * 250_000, (i + 1) * 250_000)) - 1)).toBeLessThan(1e-6);
      }
      const running = await dataOf(cumsum(x));
      expect(Math.abs(running.at(-1)! / exact - 1)).toBeLessThan(1e-6);
      // Σ x² as a contraction would have it, and signs that cancel: relative to Σ |x|.
      expect(Math.abs((await one(sum(square(x)))) / total(list.map(each => each * each)) - 1)).toBeLessThan(1e-6);
      const signed = list.map(each => each - 0.5);
      const error = Math.abs((await one(sum(tensor(signed)))) - total(signed));
      expect(error / total(signed.map(Math.abs))).toBeLessThan(1e-6);
    });

    it('mean and variance behind a large offset are as near as on the CPU, within 10 times', async () => {
      const list = uniform(65_536, 7).map(each => 1e4 + each);
      const exactMean = total(list) / list.length;
      const exactVariance = list.reduce((all, each) => all + (each - exactMean) ** 2, 0) / list.length;
      const errors = async (): Promise<readonly [number, number]> => {
        const x = tensor(list) as Tensor;
        return [Math.abs((await one(mean(x))) / exactMean - 1), Math.abs((await one(variance(x))) / exactVariance - 1)];
      };
      await device('cpu');
      const onCpu = await errors();
      await device('gpu', { mode });
      const there = await errors();
      // Half an eps of float32 is what rounding the result itself may cost.
      expect(there[0]).toBeLessThanOrEqual(10 * Math.max(onCpu[0], 2 ** -24));
      expect(there[1]).toBeLessThanOrEqual(10 * Math.max(onCpu[1], 2 ** -24));
    });

    it('a softmax gives what is masked nothing, and rows without a largest finite number NaN', async () => {
      const x = tensor([
        [1, -inf, 2, -inf],
        [-inf, -inf, -inf, 5],
        [1e4, 1e4, -1e4, -inf],
        [-inf, -inf, -inf, -inf],
        [nan, 1, 2, 3],
        [inf, 1, 2, 3],
      ]);
      const found = await dataOf(softmax(x));
      const e = Math.exp(1);
      const wanted = [1 / (1 + e), 0, e / (1 + e), 0, 0, 0, 0, 1, 0.5, 0.5, 0, 0];
      wanted.forEach((each, i) => {
        expect(Math.abs(found[i]! - each)).toBeLessThan(1e-6);
      });
      // ∞ − ∞ among the terms of a sum makes all of it NaN.
      expect(Array.from(found.subarray(12))).toEqual(new Array(12).fill(Number.NaN));
    });

    it('infinities and NaN come out where they do on the CPU', async () => {
      await device('cpu');
      const wanted = new Map<string, ArrayLike<number>>();
      for (const [name, y] of special()) wanted.set(name, (await y.data()) as ArrayLike<number>);
      await device('gpu', { mode });
      for (const [name, y] of special()) {
        const [found, own] = [(await y.data()) as ArrayLike<number>, wanted.get(name)!];
        const wrong = Array.from(found).flatMap((each, i) => {
          const is = own[i]!;
          // Functions of a device within 64 eps.
          const near = Number.isFinite(is)
            ? Math.abs(each - is) <= 64 * 2 ** -23 * Math.max(Math.abs(is), 1e-30)
            : Object.is(each, is);
          return near ? [] : [`${name}[${i}]: ${each}, not ${is}`];
        });
        expect(wrong).toEqual([]);
        expect(found.length).toBe(own.length);
      }
    });
  });
}
