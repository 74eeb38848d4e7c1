/** The launcher for WebGPU, on SwiftShader unless the environment names another driver. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceBuffer, Launchable, Launcher } from '../../src/tensor/backend/gpu/launch/launcher.js';
import { BufferPool, classOf } from '../../src/tensor/backend/gpu/launch/pool.js';
import { openWebGpu } from '../../src/tensor/backend/gpu/launch/webgpu.js';
import type { GpuDevice } from '../../src/tensor/backend/gpu/launch/webgpu-types.js';
import type { KernelPass, PassNumber, ShaderPass } from '../../src/tensor/backend/gpu/pass.js';
import { DeviceError } from '../../src/tensor/errors.js';
import { closeBrowser, inBrowser } from './browser-harness.js';
import { launcherChecks } from './launcher-checks.js';
import type { run as runInPage } from './webgpu-page.js';

process.env.VK_DRIVER_FILES ??= '/usr/lib/chromium/vk_swiftshader_icd.json';

const kernel = (source: string, grid: readonly number[], more: Partial<KernelPass> = {}): KernelPass => ({
  kind: 'kernel',
  name: 'test',
  source,
  grid,
  components: 1,
  reads: [],
  numbers: [],
  turns: 1,
  flops: 1,
  ...more,
});

const shader = (source: string, more: Partial<ShaderPass> = {}): ShaderPass => ({
  kind: 'shader',
  name: 'test',
  source,
  workgroups: [1, 1, 1],
  reads: [],
  makes: [],
  numbers: [],
  flops: 1,
  ...more,
});

const argument: PassNumber = { kind: 'argument' };
const scalar = (index: number): PassNumber => ({ kind: 'scalar', index, part: 'all' });
const count = (n: number, f = (i: number): number => i): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => f(i));

describe('the pool', () => {
  it('wastes at most a fifth of a buffer', () => {
    for (let bytes = 260; bytes < 5e8; bytes = Math.ceil((bytes * 1.01) / 4) * 4) {
      const size = classOf(bytes);
      expect(size).toBeGreaterThanOrEqual(bytes);
      expect(size % 16).toBe(0);
      expect((size - bytes) / size).toBeLessThanOrEqual(0.2);
    }
    expect(classOf(4)).toBe(256);
  });

  it('hands out the buffer made first, never more than a buffer can have, and forgets what there was no memory for', async () => {
    const destroyed: number[] = [];
    const failures: string[] = [];
    let made = 0;
    let ids = 0;
    let error: { readonly message: string } | null = null;
    const device = {
      createBuffer: () => {
        const id = made++;
        return { destroy: () => destroyed.push(id) };
      },
      pushErrorScope: () => undefined,
      popErrorScope: () => Promise.resolve(error),
    } as unknown as GpuDevice;
    const pool = new BufferPool(
      device,
      0,
      2 ** 27 + 16,
      message => failures.push(message),
      () => ids++,
    );
    const slots = [pool.take(1000), pool.take(1000), pool.take(1000)];
    for (const i of [1, 2, 0]) pool.give(slots[i]!);
    expect([pool.take(1000), pool.take(1000), pool.take(1000)]).toEqual(slots);
    expect(pool.bytes).toBe(3 * 1024);
    expect(pool.keptBytes).toBe(0);
    expect(pool.take(2 ** 27 + 16).bytes).toBe(2 ** 27 + 16);
    error = { message: 'none left' };
    const large = pool.take(2 ** 26);
    pool.give(large);
    await new Promise(resolve => setTimeout(resolve, 0));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain('none left');
    expect(destroyed).toEqual([large.id]);
    expect(pool.keptBytes).toBe(0);
    error = null;
    expect(pool.take(2 ** 26).id).toBeGreaterThan(large.id);
    pool.give(slots[0]!);
    pool.trim();
    expect(destroyed).toEqual([large.id, slots[0]!.id]);
    expect(pool.bytes).toBe(2 * 1024 + 2 ** 27 + 16 + 2 ** 26);
  });
});

describe('webgpu', () => {
  let launcher: Launcher;

  beforeAll(async () => {
    launcher = await openWebGpu();
  });
  afterAll(() => launcher?.destroy());

  const run = async (
    pass: KernelPass | ShaderPass,
    inputs: readonly Float32Array[] = [],
    numbers: readonly number[] = [],
  ): Promise<Float32Array[]> => {
    const prepared = await launcher.prepare(pass);
    const reads = inputs.map(data => launcher.upload(data));
    const made = launcher.launch(prepared, reads, numbers);
    const results = await Promise.all(made.map(buffer => launcher.read(buffer)));
    for (const buffer of [...reads, ...made]) launcher.free(buffer);
    return results;
  };

  it.each(Object.entries(launcherChecks))('does what every launcher does: %s', async (_, check) => {
    expect(await check(launcher)).toEqual([]);
  });

  it('says what it is', () => {
    expect(launcher.mode).toBe('webgpu');
    expect(launcher.adapter.length).toBeGreaterThan(0);
    expect(launcher.traits.reads).toBe(7);
    expect(launcher.limits.maxComputeWorkgroupsPerDimension).toBeGreaterThanOrEqual(65535);
    expect(4 * launcher.traits.floats).toBeLessThanOrEqual(launcher.limits.maxBufferSize!);
    expect(launcher.lost).toBeNull();
  });

  it('runs a kernel of one axis', async () => {
    const source = 'function(b0, b1) { return b0[this.thread.x] * 2 + b1[this.thread.x]; }';
    for (const n of [1, 63, 64, 257, 1000]) {
      const [sum] = await run(kernel(source, [n], { reads: [n, n] }), [count(n), count(n, i => 100 * i)]);
      expect(sum).toEqual(count(n, i => 102 * i));
    }
  });

  it('runs kernels of two and three axes, x innermost, that read flat', async () => {
    const grids = [
      [7, 5],
      [3, 700],
      [130, 3],
      [5, 4, 3],
      [2, 3, 100],
      [70, 6, 2],
    ];
    for (const grid of grids) {
      const [x = 1, y = 1, z = 1] = grid;
      const place = 'this.thread.x * 10000 + this.thread.y * 100 + this.thread.z';
      const flat = `this.thread.x + ${x} * (this.thread.y + ${y} * this.thread.z)`;
      const source =
        grid.length === 3
          ? `function(b0) { return ${place} + b0[${flat}]; }`
          : `function(b0) { return this.thread.x * 10000 + this.thread.y * 100 + b0[this.thread.x + ${x} * this.thread.y]; }`;
      const size = x * y * z;
      const [made] = await run(kernel(source, grid, { reads: [size] }), [count(size, i => i * 0.25)]);
      const expected = count(size, i => {
        const [ix, iy, iz] = [i % x, Math.floor(i / x) % y, Math.floor(i / x / y)];
        return ix * 10000 + iy * 100 + iz + i * 0.25;
      });
      expect(made).toEqual(expected);
    }
  });

  it('folds one long axis', async () => {
    // 65535 workgroups of 256 threads are 16.8 million.
    const n = 65535 * 256 + 1000;
    const prepared = await launcher.prepare(
      kernel('function() { return this.thread.x - 65535 * 256; }', [n], { name: 'long' }),
    );
    const [made] = launcher.launch(prepared, [], []);
    const tail = launcher.slice(made!, n - 1001, 1001);
    expect(await launcher.read(tail)).toEqual(count(1001, i => i - 1));
    launcher.free(made!);
    launcher.free(tail);
    launcher.trim();
  });

  it('refuses axes that are too long for it', async () => {
    const pass = kernel('function() { return this.thread.x; }', [256, 4, 2 ** 20], { name: 'deep' });
    await expect(Promise.resolve(launcher.prepare(pass))).rejects.toThrow(/deep.*workgroups in z/);
  });

  it('takes four floats of each thread', async () => {
    const source = 'function(b0) { const x = b0[this.thread.x]; return [x, x * 10, x * 100, this.thread.x]; }';
    const [made] = await run(kernel(source, [50], { reads: [50], components: 4 }), [count(50, i => i + 1)]);
    expect(made).toEqual(count(200, i => ((i & 3) === 3 ? i >> 2 : ((i >> 2) + 1) * 10 ** (i & 3))));
    await expect(
      Promise.resolve(launcher.prepare(kernel('function() { return 1; }', [5], { components: 4 }))),
    ).rejects.toThrow(DeviceError);
  });

  it('gives numbers, infinities, NaN and the sign of zero included', async () => {
    const numbers = [scalar(0), scalar(1), { kind: 'constant', value: Number.NaN }] as const;
    const pass = kernel('function(n0, n1, n2) { return [n0, n1, n2, 1 / n0]; }', [3], { components: 4, numbers });
    const [first] = await run(pass, [], [0.5, Number.POSITIVE_INFINITY, Number.NaN]);
    expect([...first!.slice(4, 7)]).toEqual([0.5, Number.POSITIVE_INFINITY, Number.NaN]);
    const [second] = await run(pass, [], [-2, Number.NEGATIVE_INFINITY, Number.NaN]);
    expect([...second!.slice(0, 4)]).toEqual([-2, Number.NEGATIVE_INFINITY, Number.NaN, -0.5]);
    // Equal by ===, so what tells them apart is more than their values.
    const [plus] = await run(pass, [], [0, 1, 1]);
    const [minus] = await run(pass, [], [-0, 1, 1]);
    expect([plus![0], minus![0]]).toEqual([0, -0]);
  });

  it('gives integers exactly', async () => {
    const pass = kernel('function(b0, n0) { return b0[this.thread.x + n0 - 16777217]; }', [4], {
      reads: [10],
      numbers: [argument],
    });
    const [made] = await run(pass, [count(10)], [16777219]);
    // As a float, 16777219 is 16777220.
    expect(made).toEqual(count(4, i => i + 2));
  });

  it('runs loops of any length', async () => {
    const source = 'function(n0) { let s = 0; for (let i = 0; i < n0; i++) { s = s + 1; } return s; }';
    const [made] = await run(kernel(source, [2], { numbers: [argument], turns: 5000 }), [], [5000]);
    expect(made).toEqual(count(2, () => 5000));
  });

  it('runs shaders with several results and numbers, and without', async () => {
    const source = `
      @group(0) @binding(0) var<uniform> numbers: array<vec4<f32>, 2>;
      @group(0) @binding(1) var<storage, read> b0: array<f32>;
      @group(0) @binding(2) var<storage, read> b1: array<vec4<f32>>;
      @group(0) @binding(3) var<storage, read_write> r0: array<f32>;
      @group(0) @binding(4) var<storage, read_write> r1: array<vec4<f32>>;
      @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
        r0[id.x] = b0[id.x] * numbers[0].y + numbers[1].x;
        r1[id.x] = b1[id.x] + numbers[0];
      }`;
    const pass = shader(source, {
      reads: [16, 64],
      makes: [16, 64],
      workgroups: [2, 1, 1],
      numbers: [0, 1, 2, 3, 4].map(scalar),
    });
    const [first, second] = await run(pass, [count(16), count(64)], [1, 2, 3, 4, 0.5]);
    expect(first).toEqual(count(16, i => 2 * i + 0.5));
    expect(second).toEqual(count(64, i => i + 1 + (i & 3)));

    const plain = `
      @group(0) @binding(0) var<storage, read> b0: array<f32>;
      @group(0) @binding(1) var<storage, read_write> r0: array<f32>;
      @compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3<u32>) { r0[id.y] = -b0[id.y]; }`;
    const [negated] = await run(shader(plain, { reads: [3], makes: [3], workgroups: [1, 3, 1] }), [
      count(3, i => i + 1),
    ]);
    expect(negated).toEqual(count(3, i => -i - 1));
  });

  it('shares what is compiled of equal passes', async () => {
    const source = 'function(b0, n0) { return b0[this.thread.x] + n0; }';
    const pass = kernel(source, [5], { reads: [5], numbers: [scalar(0)] });
    const [first, second] = await Promise.all([launcher.prepare(pass), launcher.prepare({ ...pass })]);
    const third = launcher.prepare({ ...pass, name: 'other', numbers: [scalar(3)] }) as Launchable;
    expect(third).not.toBeInstanceOf(Promise);
    expect(third.pass.name).toBe('other');
    const pipelineOf = (launchable: Launchable): unknown => Reflect.get(launchable, 'prepared');
    expect(pipelineOf(second)).toBe(pipelineOf(first));
    expect(pipelineOf(third)).toBe(pipelineOf(first));
  });

  it('slices and stacks', async () => {
    const whole = launcher.upload(count(100));
    const part = launcher.slice(whole, 7, 20);
    const none = launcher.slice(whole, 5, 0);
    const all = launcher.stack([part, none, whole, part]);
    const [a, b, c] = await Promise.all([launcher.read(part), launcher.read(none), launcher.read(all)]);
    expect(a).toEqual(count(20, i => i + 7));
    expect(b).toEqual(new Float32Array(0));
    expect(c).toEqual(Float32Array.from([...a, ...count(100), ...a]));
    expect(all.floats).toBe(140);
    for (const buffer of [whole, part, none, all]) launcher.free(buffer);
  });

  it('has results of nothing', async () => {
    const [made] = await run(kernel('function(b0) { return b0[this.thread.x]; }', [0], { reads: [0] }), [
      new Float32Array(0),
    ]);
    expect(made).toEqual(new Float32Array(0));
  });

  it('uploads from memory that is shared, and what is written later to an array stays out', async () => {
    const shared = new Float32Array(new SharedArrayBuffer(64));
    shared.fill(3);
    const buffer = launcher.upload(shared);
    const own = count(16);
    const other = launcher.upload(own);
    shared.fill(4);
    own.fill(5);
    expect(await launcher.read(buffer)).toEqual(count(16, () => 3));
    expect(await launcher.read(other)).toEqual(count(16));
    launcher.free(buffer);
    launcher.free(other);
  });

  it('keeps a chain of launches in order while buffers are reused and numbers change', async () => {
    const pass = kernel('function(b0, n0) { return b0[this.thread.x] * 0.5 + n0; }', [300], {
      reads: [300],
      numbers: [scalar(0)],
    });
    const prepared = await launcher.prepare(pass);
    let value = launcher.upload(count(300));
    const expected = count(300);
    const before = launcher.bytes;
    for (let i = 0; i < 200; i++) {
      const [next] = launcher.launch(prepared, [value], [i]);
      launcher.free(value);
      value = next!;
      for (let j = 0; j < 300; j++) expected[j] = expected[j]! * 0.5 + i;
    }
    // Two buffers take turns; what was uploaded first is of those that stay.
    expect(launcher.bytes - before).toBeLessThanOrEqual(2 * classOf(1200));
    const made = await launcher.read(value);
    // Two roundings each, and an error is halved by every launch that follows: 2 ulp of 400.
    for (let j = 0; j < 300; j++) expect(Math.abs(made[j]! - expected[j]!)).toBeLessThan(400 * 2 ** -22);
    launcher.free(value);
  });

  it('makes as many bind groups as there are buffers in turn', async () => {
    const pass = kernel('function(b0) { return b0[this.thread.x] + 1; }', [40], { reads: [40], name: 'turns' });
    const prepared = await launcher.prepare(pass);
    let value = launcher.upload(count(40));
    for (let i = 0; i < 200; i++) {
      const [next] = launcher.launch(prepared, [value], []);
      launcher.free(value);
      value = next!;
    }
    expect(await launcher.read(value)).toEqual(count(40, i => i + 200));
    const { groups } = Reflect.get(prepared, 'prepared') as { readonly groups: ReadonlyMap<string, unknown> };
    expect(groups.size).toBeLessThanOrEqual(3);
    launcher.free(value);
    launcher.trim();
    const again = launcher.launch(prepared, [launcher.upload(count(40))], []);
    expect(await launcher.read(again[0]!)).toEqual(count(40, i => i + 1));
    expect(groups.size).toBe(1);
  });

  it('says more different numbers than it has room for', async () => {
    // The uniform buffer has room for 4096.
    const pass = kernel('function(b0, n0) { return b0[this.thread.x] + n0; }', [1], {
      reads: [1],
      numbers: [scalar(0)],
    });
    const prepared = await launcher.prepare(pass);
    let value = launcher.upload(new Float32Array(1));
    let expected = 0;
    for (let i = 0; i < 4500; i++) {
      const [next] = launcher.launch(prepared, [value], [i]);
      launcher.free(value);
      value = next!;
      expected += i;
    }
    // Below 2^24, so every sum is exact.
    expect(await launcher.read(value)).toEqual(Float32Array.of(expected));
    launcher.free(value);
  });

  it('uploads into a buffer only after those who have it', async () => {
    const double = await launcher.prepare(
      kernel('function(b0) { return b0[this.thread.x] * 2; }', [64], { reads: [64] }),
    );
    const results: DeviceBuffer[] = [];
    for (let i = 0; i < 20; i++) {
      const input = launcher.upload(count(64, j => 100 * i + j));
      results.push(launcher.launch(double, [input], [])[0]!);
      launcher.free(input);
    }
    const read = await Promise.all(results.map(result => launcher.read(result)));
    for (const [i, made] of read.entries()) expect(made).toEqual(count(64, j => 200 * i + 2 * j));
    for (const result of results) launcher.free(result);
  });

  it('needs no more memory for 500 rounds than for 10', async () => {
    const prepared = await launcher.prepare(
      kernel('function(b0) { return b0[this.thread.x] + 1; }', [5000], { reads: [5000] }),
    );
    const round = (i: number): void => {
      const input = launcher.upload(count(5000, () => i));
      const [made] = launcher.launch(prepared, [input], []);
      launcher.free(input);
      launcher.free(made!);
    };
    for (let i = 0; i < 10; i++) round(i);
    const before = launcher.bytes;
    for (let i = 0; i < 500; i++) round(i);
    expect(launcher.bytes).toBe(before);
    await launcher.finish();
    launcher.trim();
    expect(launcher.bytes).toBeLessThan(before);
  });

  it('refuses what does not compile, with its source', async () => {
    const wrong = Promise.resolve(
      launcher.prepare(kernel('function(b0) { return nothing[0]; }', [5], { reads: [5], name: 'wrong' })),
    );
    await expect(wrong).rejects.toThrow(DeviceError);
    await expect(wrong).rejects.toThrow(/wrong.*nothing/s);
    const bad = shader('@compute @workgroup_size(1) fn main() { let x: f32 = 1u; }', { makes: [1], name: 'bad' });
    await expect(Promise.resolve(launcher.prepare(bad))).rejects.toThrow(/bad.*let x: f32 = 1u.*does not compile/s);
    // Asked for again, it is refused again.
    await expect(Promise.resolve(launcher.prepare(bad))).rejects.toThrow(DeviceError);
    const many = shader('', { reads: Array(8).fill(1), makes: [1] });
    await expect(Promise.resolve(launcher.prepare(many))).rejects.toThrow(/maxStorageBuffersPerShaderStage/);
    // Nothing of it is left to be told to somebody else.
    await launcher.finish();
  });

  it('refuses wrong numbers of buffers, and buffers that are too large', async () => {
    const prepared = await launcher.prepare(kernel('function(b0) { return b0[0]; }', [5], { reads: [5] }));
    expect(() => launcher.launch(prepared, [], [])).toThrow(DeviceError);
    const huge = await launcher.prepare(kernel('function() { return 1; }', [launcher.traits.floats + 1]));
    expect(() => launcher.launch(huge, [], [])).toThrow(/at most/);
  });

  it('tells everybody who waits of an error, and then goes on', async () => {
    const whole = launcher.upload(count(8));
    // Beyond the end of the buffer: the device refuses the batch.
    const part = launcher.slice(whole, 4096, 8);
    const reads = [launcher.read(part), launcher.read(whole)];
    const settled = await Promise.allSettled(reads);
    for (const result of settled) {
      expect(result.status).toBe('rejected');
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(DeviceError);
    }
    await launcher.finish();
    expect(await launcher.read(whole)).toEqual(count(8));
    launcher.free(whole);
    launcher.free(part);
  });
});

describe('a process with webgpu', () => {
  const module = fileURLToPath(new URL('../../src/tensor/backend/gpu/launch/webgpu.ts', import.meta.url));
  const inChild = async (body: string, env: NodeJS.ProcessEnv = process.env): Promise<string> => {
    const source = `import { openWebGpu } from ${JSON.stringify(module)};\n${body}`;
    const flags = ['--conditions=tenfold-source', '--import=tsx', '--input-type=module', '-e', source];
    const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: 30_000, env });
    return stdout;
  };
  const work = `
    const launcher = await openWebGpu();
    const pass = { kind: 'kernel', name: 'p', source: 'function() { return this.thread.x; }', grid: [4], components: 1, reads: [], numbers: [], turns: 1, flops: 1 };
    const [made] = launcher.launch(await launcher.prepare(pass), [], []);
    console.log(String(await launcher.read(made)));
  `;

  it('ends by itself, whether the device was given back or not', async () => {
    expect(await inChild(`${work}\nawait launcher.destroy(); console.log(launcher.lost);`)).toBe(
      '0,1,2,3\nit was destroyed\n',
    );
    expect(await inChild(`${work}\nlauncher.launch(await launcher.prepare(pass), [], []);`)).toBe('0,1,2,3\n');
  });

  it('refuses work when the device is gone, and opens another', async () => {
    const out = await inChild(`${work}
      const reading = launcher.read(made).then(() => 'read', error => error.name);
      await launcher.destroy();
      console.log(await reading, launcher.bytes);
      const prepared = launcher.prepare({ ...pass, grid: [0] });
      try { launcher.launch(prepared, [], []); } catch (error) { console.log(error.name); }
      await launcher.finish().catch(error => console.log(error.name));
      const other = await openWebGpu();
      const [again] = other.launch(await other.prepare(pass), [], []);
      console.log(String(await other.read(again)));
      await other.destroy();`);
    expect(out).toBe('0,1,2,3\nDeviceError 0\nDeviceError\nDeviceError\n0,1,2,3\n');
  });

  it('refuses work when the device is lost', async () => {
    const out = await inChild(`${work}
      import { loadGpuJs } from ${JSON.stringify(module.replace('webgpu.ts', 'gpujs.ts'))};
      const { device } = await (await loadGpuJs()).WebGPUContext.acquire();
      const reading = launcher.read(made).then(() => 'read', error => error.name);
      device.destroy();
      await device.lost;
      console.log(await reading, typeof launcher.lost);
      const refused = [() => launcher.prepare(pass), () => launcher.upload(new Float32Array(4)), () => launcher.stack([made])];
      for (const each of refused) {
        try { each(); } catch (error) { console.log(error.name); }
      }
      await launcher.destroy();`);
    expect(out).toBe('0,1,2,3\nDeviceError string\nDeviceError\nDeviceError\nDeviceError\n');
  });

  it('says why there is no WebGPU', async () => {
    const out = await inChild('await openWebGpu().catch(error => console.log(error.message));', {
      ...process.env,
      VK_DRIVER_FILES: '/nowhere.json',
    });
    expect(out).toMatch(/no adapter/);
  });
});

describe('webgpu in Chromium', () => {
  let checked: Awaited<ReturnType<typeof runInPage>>;
  beforeAll(async () => {
    checked = await inBrowser('./webgpu-page.ts');
  }, 120_000);
  afterAll(closeBrowser);

  it.each(Object.keys(launcherChecks))('%s', name => {
    expect(checked.wrong[name]).toEqual([]);
  });

  it('says what it is', () => {
    expect(checked).toMatchObject({ mode: 'webgpu', lost: null });
    expect(checked.adapter).toMatch(/\w/);
    expect(checked.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
  });

  it('tells of errors', () => {
    expect(checked.refused[0]).toMatch(/^DeviceError: .*WebGPU reports an error/);
    expect(checked.refused[1]).toBe('7,7,7,7');
    expect(checked.uncompiled).toMatch(/^DeviceError: none: .*does not compile/s);
  });

  it('reads nothing when the device was given back', () => {
    expect(checked.lostAtTheEnd).toBe('it was destroyed');
    expect(checked.readAtTheEnd).toMatch(/^DeviceError: read/);
  });
});
