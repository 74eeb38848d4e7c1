/** Training on a device: what travels, what stays, and that nobody frees anything. */
import { existsSync } from 'node:fs';
import {
  argmax,
  argsort,
  cast,
  type DeviceMode,
  device,
  deviceInfo,
  explain,
  jit,
  matmul,
  mean,
  square,
  sub,
  type Tensor,
  tanh,
  tensor,
  toDevice,
  valueAndGrad,
} from 'tenfold';
import { adam, applyUpdates } from 'tenfold/optim';
import { key, normal, split } from 'tenfold/random';
import { afterAll, describe, expect, test } from 'vitest';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(swiftShader)) process.env.VK_DRIVER_FILES ??= swiftShader;

interface Params {
  readonly first: Tensor;
  readonly second: Tensor;
}

const [forFirst, forSecond, forInputs] = split(key(7), 3) as unknown as readonly [Tensor, Tensor, Tensor];
const optimizer = adam(0.02);
const init = (): Params => ({
  first: normal(forFirst as never, [6, 16]) as Tensor,
  second: normal(forSecond as never, [16, 1]) as Tensor,
});
const inputs = normal(forInputs as never, [32, 6]) as Tensor;
const targets = square(matmul(inputs as never, tensor([[0.5], [-0.25], [1], [0], [0.75], [-1]]) as never)) as Tensor;

const loss = ({ first, second }: Params, x: Tensor, y: Tensor): Tensor =>
  mean(square(sub(matmul(tanh(matmul(x as never, first as never)) as never, second as never), y as never))) as Tensor;

const step = jit((params: Params, state: ReturnType<typeof optimizer.init>, x: Tensor, y: Tensor) => {
  const [value, gradient] = valueAndGrad(loss)(params, x, y) as [Tensor, Params];
  const [updates, next] = optimizer.update(gradient, state, params);
  return { value, params: applyUpdates(params, updates) as Params, state: next };
});

/** The losses of every tenth step, read as they come. */
const train = async (steps: number, watch: (at: number) => void = () => {}): Promise<readonly number[]> => {
  let params = init();
  let state = optimizer.init(params);
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const next = step(params, state as never, inputs, targets);
    params = next.params;
    state = next.state as never;
    if (i % 10 === 9) losses.push((await next.value.data())[0]!);
    watch(i);
  }
  return losses;
};

for (const mode of ['webasm', 'webgpu'] as const satisfies readonly DeviceMode[]) {
  describe(`training on ${mode}`, () => {
    afterAll(() => device('cpu'));

    test('gives the losses of the CPU, reads nothing but what is asked for, and keeps memory flat for 500 steps', async () => {
      await device('cpu');
      const onCpu = await train(50);
      expect((await device('gpu', { mode })).mode).toBe(mode);
      const bytes: number[] = [];
      const readbacks: number[] = [];
      const losses = await train(500, i => {
        if (i % 50 !== 49) return;
        bytes.push(deviceInfo().memory.residentBytes);
        readbacks.push(deviceInfo().memory.readbacks);
      });
      onCpu.forEach((value, i) => {
        expect(Math.abs(losses[i]! - value)).toBeLessThan(1e-3 * value);
      });
      expect(losses.at(-1)).toBeLessThan(losses[0]! / 10);
      // Five metrics in fifty steps, and nothing else.
      expect(readbacks.slice(1).map((count, i) => count - readbacks[i]!)).toEqual(new Array(9).fill(5));
      // A step makes some 3 KB: without anybody to free them these would be 1.5 MB more.
      const [early, late] = [Math.max(...bytes.slice(0, 5)), Math.max(...bytes.slice(5))];
      console.log(`${mode}: resident ${bytes.map(n => (n / 1024).toFixed(0)).join(' ')} KiB`);
      expect(late).toBeLessThan(2 * early + 2 ** 20);
    }, 120_000);

    test('draws the same random bits', async () => {
      const draw = (): Promise<ArrayLike<number>> =>
        (normal(key(3) as never, [1000]) as Tensor).data() as Promise<ArrayLike<number>>;
      await device('cpu');
      const wanted = await draw();
      await device('gpu', { mode });
      const found = await draw();
      for (let i = 0; i < 1000; i++) expect(Math.abs(found[i]! - wanted[i]!)).toBeLessThan(1e-5);
    });

    test('runs what no device can on the CPU, and explain shows what travels', async () => {
      await device('gpu', { mode });
      const x = await toDevice(tensor([3, 1, 2]), 'gpu');
      const wide = (y: Tensor): Tensor => argmax(cast(tanh(y as never), 'float64') as never) as Tensor;
      const text = `${explain(wide as (y: Tensor) => Tensor)(x as Tensor)}`;
      expect(text).toContain('[cpu] cast reshape argmax');
      expect(text).toContain('transfers float32[3], int32[]');
      expect(await wide(x as Tensor).data()).toEqual(Int32Array.of(0));
      expect(await (argsort(x as never) as Tensor).data()).toEqual(Int32Array.of(1, 2, 0));
    });
  });
}
