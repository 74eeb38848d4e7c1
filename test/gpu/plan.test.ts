/** What passes programs become, and where their parts run. */
import { existsSync } from 'node:fs';
import * as tenfold from 'tenfold';
import {
  customOp,
  type DeviceMode,
  device,
  deviceInfo,
  explain,
  fold,
  jit,
  type Shape,
  type Tensor,
  type TensorSpec,
  tensor,
  toDevice,
} from 'tenfold';
import { adam, applyUpdates } from 'tenfold/optim';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(swiftShader)) process.env.VK_DRIVER_FILES ??= swiftShader;

/** Ranks and dtypes are not what is tried here. */
type Operation = (...args: readonly unknown[]) => Tensor;
const { add, arange, cast, exp, grad, matmul, mean, mul } = tenfold as unknown as Readonly<
  Record<'add' | 'arange' | 'cast' | 'exp' | 'matmul' | 'mean' | 'mul', Operation> &
    Record<'grad', (f: Operation) => Operation>
>;
const { broadcastTo, reshape, rsqrt, silu, sin, slice, softmax, square, sub, sum, tanh, variance } =
  tenfold as unknown as Readonly<
    Record<
      | 'broadcastTo'
      | 'reshape'
      | 'rsqrt'
      | 'silu'
      | 'sin'
      | 'slice'
      | 'softmax'
      | 'square'
      | 'sub'
      | 'sum'
      | 'tanh'
      | 'variance',
      Operation
    >
  >;

/** Multiples of 1/64 in [−1, 1): their sums and products of two are exact. */
const values = (shape: readonly number[], seed = 1): Tensor => {
  const size = shape.reduce((p, n) => p * n, 1);
  const array = Float32Array.from({ length: size }, (_, i) => (((i + 1) * seed * 37) % 128) / 64 - 1);
  return reshape(tensor(array), shape);
};

const stepsOf = (f: (...args: never[]) => unknown, ...args: readonly unknown[]): readonly string[] =>
  explain(f as (...args: readonly unknown[]) => unknown)(...args).report!.steps.map(
    ({ name, shape }) => `${name}: ${shape}`,
  );
const namesOf = (f: (...args: never[]) => unknown, ...args: readonly unknown[]): readonly string[] =>
  stepsOf(f, ...args).map(step => step.slice(0, step.indexOf(':')));

const layerNorm = (x: Tensor, weight: Tensor, bias: Tensor): Tensor => {
  const over = { axis: -1, keepDims: true };
  const normal = mul(sub(x, mean(x, over)), rsqrt(add(variance(x, over), 1e-5)));
  return add(mul(normal, weight), bias);
};

const use = (mode: DeviceMode): void => {
  beforeAll(async () => {
    expect((await device('gpu', { mode })).mode).toBe(mode);
  }, 60_000);
  afterAll(() => device('cpu'));
};

describe('passes where one thread is as good as many (webasm)', () => {
  use('webasm');

  it('a softmax is its two reductions and what is left', () => {
    expect(stepsOf(softmax, values([8, 64]))).toEqual([
      'reduceMax: threads 8',
      'sub exp sum: threads 8',
      'sub exp div: threads 512',
    ]);
  });

  it('so is a layer norm', () => {
    expect(stepsOf(layerNorm, values([8, 64]), values([64]), values([64]))).toEqual([
      'sum: threads 8',
      'div sub mul sum: threads 8',
      'div sub add rsqrt mul: threads 512',
    ]);
  });

  it('an update of Adam is one pass for each tensor that it makes, and some for its numbers', () => {
    const optimizer = adam(0.01);
    const p = values([32, 16]);
    const update = (q: Tensor, g: Tensor, state: never): unknown => {
      const [updates, next] = optimizer.update(g as never, state, q as never);
      return [applyUpdates(q as never, updates as never), next];
    };
    const steps = stepsOf(update, p, values([32, 16], 2), optimizer.init(p as never));
    expect(steps.filter(step => step.endsWith('threads 512'))).toEqual([
      'mul add: threads 512',
      'mul add: threads 512',
      'mul sqrt add div: threads 512',
    ]);
    expect(steps.length).toBeLessThanOrEqual(8);
  });

  it('bias and activation are done by the product before them, and the way back likewise', () => {
    const dense = (x: Tensor, w: Tensor, b: Tensor): Tensor => silu(add(matmul(x, w), b));
    const args = [values([32, 48]), values([48, 64]), values([64])];
    expect(namesOf(dense, ...args)).toHaveLength(1);
    const back = (x: Tensor, w: Tensor, b: Tensor): Tensor =>
      grad((v: unknown) => mean(square(tanh(add(matmul(x, v), b)))))(w);
    expect(namesOf(back, ...args)).toHaveLength(2);
  });

  it('what is stored is loaded by whoever needs it, not computed again', () => {
    const siblings = (x: Tensor): unknown => {
      const y = exp(x);
      return [y, mul(y, 2), sum(y, { axis: 1 })];
    };
    expect(stepsOf(siblings, values([32, 48]))).toEqual(['exp: threads 1536', 'mul: threads 1536', 'sum: threads 32']);
  });
});

for (const mode of ['webasm', 'webgpu'] as const) {
  describe(`parts of a program on ${mode}`, () => {
    use(mode);

    it('each part in float64 is one step on the CPU', () => {
      const once = (x: Tensor): Tensor => {
        const wide = cast(mul(x, 3), 'float64');
        return mul(cast(exp(add(mul(wide, 2), sin(wide))), 'float32'), 2);
      };
      expect(namesOf(once, values([4, 4]))).toEqual(['mul', '[cpu] cast broadcast mul sin add exp', 'mul']);
      const two = (x: Tensor): Tensor => {
        const first = add(cast(mul(cast(x, 'float64'), 2), 'float32'), 1);
        return add(cast(mul(cast(tanh(first), 'float64'), 2), 'float32'), 1);
      };
      expect(namesOf(two, values([4, 4]))).toEqual([
        '[cpu] cast broadcast mul',
        'add tanh',
        '[cpu] broadcast cast mul',
        'add',
      ]);
    });

    it("a kernel of the user's runs on the CPU, also in a loop, and its error comes out", async () => {
      let fails = false;
      const flipped = customOp({
        name: 'flipped',
        result: (x: TensorSpec<Shape, 'float32'>) => x,
        kernel: ([x], [y]) => {
          if (fails) throw new Error('of the kernel');
          y.set(x.toReversed());
        },
      }) as Operation;
      const f = (x: Tensor): Tensor => mul(flipped(add(x, 1)), 2);
      const g = (x: Tensor): Tensor => fold((c: Tensor) => f(c))(x, 3);
      expect(namesOf(f, values([4]))).toEqual(['add', '[cpu] flipped', 'mul']);
      const x = tensor([1, 2, 3, 4]);
      expect([...(await f(x).data())]).toEqual([10, 8, 6, 4]);
      expect([...(await g(x).data())]).toEqual([46, 38, 30, 22]);
      fails = true;
      await expect((async () => f(add(x, 2)).data())()).rejects.toThrow('of the kernel');
      fails = false;
      expect([...(await f(add(x, 2)).data())]).toEqual([14, 12, 10, 8]);
    });

    it('what is spread or only seen otherwise is so where it is used, and does not travel', async () => {
      const f = (x: Tensor, y: Tensor): Tensor => {
        const turned = cast(reshape(mul(x, 3), [8, 2]), 'float64');
        return mul(cast(add(turned, cast(broadcastTo(y, [8, 2]), 'float64')), 'float32'), arange(2));
      };
      const [x, y] = [values([4, 4]), values([2])];
      const steps = stepsOf(f, x, y);
      expect(steps.map(step => step.slice(0, step.indexOf(':')))).toEqual([
        'mul',
        '[cpu] reshape cast broadcast add',
        'mul',
      ]);
      expect(steps[1]).toContain('transfers float32[4, 4], float32[2], float32[8, 2]');
      const found = await f(x, y).data();
      const [all, few] = [await x.data(), await y.data()];
      expect(Array.from(found as Float32Array)).toEqual(
        Array.from(all as Float32Array, (each, i) => Math.fround((3 * each + Number(few[i % 2])) * (i % 2))),
      );
    });

    it('what a view shows in two places comes to both', async () => {
      const f = jit((y: Tensor): readonly Tensor[] => {
        const seen = reshape(mul(y, 3), [3, 2]);
        return [add(seen, 1), add(cast(seen, 'float64'), 0.5), mul(cast(broadcastTo(seen, [2, 3, 2]), 'float64'), 2)];
      });
      const x = values([2, 3]);
      const list = Array.from((await x.data()) as Float32Array, each => 3 * each);
      const found = await Promise.all(f(x).map(async each => Array.from((await each.data()) as Float32Array)));
      const doubled = list.map(each => 2 * each);
      expect(found).toEqual([list.map(each => each + 1), list.map(each => each + 0.5), [...doubled, ...doubled]]);
    });

    it('what is in float64 as a whole runs on the CPU at once', async () => {
      const wide = tensor([1, 2, 3], { dtype: 'float64' }) as Tensor;
      expect(add(mul(wide, 2), 1).toArray()).toEqual([3, 5, 7]);
      // Its indices, and what of float32 it is made of on the host.
      expect(mul(cast(arange(3), 'float64'), 0.5).toArray()).toEqual([0, 0.5, 1]);
      expect(cast(broadcastTo(tensor([0.5, 2]), [2, 2]), 'float64').toArray()).toEqual([
        [0.5, 2],
        [0.5, 2],
      ]);
      // What is on the device has to be read, which takes time.
      const there = await toDevice(tensor([1, 2]), 'gpu');
      expect(await mul(cast(there, 'float64'), 0.1).data()).toEqual(Float64Array.of(0.1, 0.2));
    });

    it('results that are inputs, numbers, sources and views are what they should be, in one program of two places', async () => {
      const x = values([2, 3]);
      const list = (await x.data()) as Float32Array;
      const all = jit((y: Tensor, rate: number): readonly Tensor[] => {
        const wide = cast(mul(y, rate), 'float64');
        return [y, reshape(y, [3, 2]), arange(3), slice(y, [1], [2]), add(wide, 1), cast(wide, 'float32'), wide];
      });
      const found = await Promise.all(
        all(x, 2).map(async each => [each.shape, Array.from((await each.data()) as Float32Array)]),
      );
      expect(found).toEqual([
        [[2, 3], Array.from(list)],
        [[3, 2], Array.from(list)],
        [[3], [0, 1, 2]],
        [[1, 3], Array.from(list.slice(3))],
        [[2, 3], Array.from(list, each => 2 * each + 1)],
        [[2, 3], Array.from(list, each => 2 * each)],
        [[2, 3], Array.from(list, each => 2 * each)],
      ]);
    });
  });
}

describe('passes where there are many threads (webgpu)', () => {
  use('webgpu');

  it('a reduction is no more launches than are worth it', () => {
    const along = { axis: 1 };
    const rows = (x: Tensor): Tensor => sum(x, along);
    expect(stepsOf(rows, values([8, 64]))).toEqual(['sum: threads 8']);
    expect(stepsOf(rows, values([128, 256]))).toEqual(['sum: threads 4096', 'sum: threads 128']);
    expect(namesOf(rows, values([1024, 1024]))).toHaveLength(2);
    expect(namesOf(rows, values([1, 2 ** 16]))).toHaveLength(3);
    expect(namesOf(softmax, values([8, 64]))).toEqual(['reduceMax', 'sub exp sum', 'sub exp div']);
  });

  it('who adds up the parts of a product does what is behind it', () => {
    const dense = (x: Tensor, w: Tensor, b: Tensor): Tensor => silu(add(matmul(x, w), b));
    expect(namesOf(dense, values([16, 256]), values([256, 64]), values([64]))).toHaveLength(2);
  });
});

describe('kernels of more buffers than a pass of WebGPU can bind', () => {
  use('webgpu');

  const count = 20;
  const many = Array.from({ length: count }, (_, i) => values([64], i + 1));
  const lists = async (): Promise<readonly Float32Array[]> =>
    Promise.all(many.map(async each => (await each.data()) as Float32Array));
  const total = (f: (i: number) => number): number =>
    Array.from({ length: count }, (_, i) => f(i)).reduce((p, n) => p + n, 0);

  it('one that reads 20 tensors is cut into a few passes, and right', async () => {
    const f = (...xs: readonly Tensor[]): Tensor => xs.reduce((all, x, i) => add(all, mul(x, i + 0.5)), mul(xs[0], 0));
    const steps = stepsOf(f, ...many);
    expect(steps.length).toBeGreaterThan(2);
    expect(steps.length).toBeLessThanOrEqual(5);
    const [found, all] = [(await f(...many).data()) as Float32Array, await lists()];
    found.forEach((each, at) => {
      // Multiples of 1/128 below 2^8: exact.
      expect(each).toBe(total(i => (i + 0.5) * all[i]![at]!));
    });
  });

  it('also where it reduces, and of integers', async () => {
    const f = (...xs: readonly Tensor[]): Tensor => sum(xs.reduce((all, x) => add(all, x)));
    const ints = many.map((x, i) => add(cast(mul(x, 64), 'int32'), 100_000 * i));
    const all = await lists();
    let [exact, whole] = [0, 0];
    for (let at = 0; at < 64; at++) {
      exact += total(i => all[i]![at]!);
      whole += total(i => 64 * all[i]![at]! + 100_000 * i);
    }
    expect((await f(...many).data())[0]).toBe(exact);
    // Computed before, so that there are 20 buffers of integers.
    await Promise.all(ints.map(each => each.data()));
    expect((await f(...ints).data())[0]).toBe(whole | 0);
  });

  it('also where every tensor is used with every other', async () => {
    const nine = many.slice(0, 9);
    const pairs = nine.flatMap((_, i) => nine.slice(i + 1).map((__, j) => [i, i + 1 + j] as const));
    const f = (...xs: readonly Tensor[]): Tensor =>
      pairs.map(([i, j]) => mul(xs[i], xs[j])).reduce((all, each) => add(all, each));
    const [found, all] = [(await f(...nine).data()) as Float32Array, await lists()];
    found.forEach((each, at) => {
      // Multiples of 2^-12 below 2^6: exact.
      expect(each).toBe(pairs.reduce((sum, [i, j]) => sum + all[i]![at]! * all[j]![at]!, 0));
    });
  });

  it('one of eight results is a pass for each', async () => {
    const f = (x: Tensor, y: Tensor): readonly Tensor[] =>
      Array.from({ length: 8 }, (_, i) => add(mul(x, i + 0.5), mul(y, i)));
    const [x, y] = [many[0]!, many[1]!];
    expect(stepsOf(f, x, y)).toEqual(new Array(8).fill('mul add: threads 64'));
    const { launches } = deviceInfo().memory;
    const made = f(x, y);
    const found = await Promise.all(made.map(async each => (await each.data()) as Float32Array));
    expect(deviceInfo().memory.launches - launches).toBeGreaterThanOrEqual(8);
    const [a, b] = await lists();
    found.forEach((each, i) => {
      expect(Array.from(each)).toEqual(Array.from(a!, (v, at) => (i + 0.5) * v + i * b![at]!));
    });
  });
});
