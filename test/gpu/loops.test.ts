/** Passes of the primitives that do not fuse, against the meanings that the reference backend gives them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openArrays } from '../../src/tensor/backend/gpu/launch/arrays.js';
import type { DeviceBuffer, Launcher } from '../../src/tensor/backend/gpu/launch/launcher.js';
import { openWebGpu } from '../../src/tensor/backend/gpu/launch/webgpu.js';
import { loops, writeLoops } from '../../src/tensor/backend/gpu/loops/index.js';
import { floatsIn, floatsOf, type Traits } from '../../src/tensor/backend/gpu/pass.js';
import { Sequence } from '../../src/tensor/backend/gpu/passes/sequence.js';
import { meanings } from '../../src/tensor/backend/reference/meanings.js';
import type { Instruction } from '../../src/tensor/compile/program.js';
import { allocate, type DType, type TypedArray } from '../../src/tensor/dtype.js';
import type { Params } from '../../src/tensor/graph.js';
import { entryOf } from '../../src/tensor/primitives/table.js';
import { type Aval, sizeOf } from '../../src/tensor/shape.js';

process.env.VK_DRIVER_FILES ??= '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Numbers from 0 to 1, the same in every run. */
const generator = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

type Draw = (next: () => number, i: number) => number;

const tensor = (shape: readonly number[], dtype: DType, draw: Draw, seed = 1): { aval: Aval; data: TypedArray } => {
  const next = generator(seed);
  const data = allocate(dtype, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = draw(next, i);
  return { aval: { shape, dtype }, data };
};
type Given = ReturnType<typeof tensor>;

const centred: Draw = next => next() * 2 - 1;
const anyWord: Draw = next => Math.floor(next() * 2 ** 32) - 2 ** 31;
const few: Draw = next => Math.floor(next() * 7) - 3;
/** Equal numbers, both zeros, infinities and NaN. */
const odd: Draw = next => [0, -0, 1, 1, -2, 3, Infinity, -Infinity, NaN, 2][Math.floor(next() * 10)]!;

const instructionOf = (op: string, params: Params, inputs: readonly Given[]): Instruction => {
  const inputAvals = inputs.map(({ aval }) => aval);
  const aval = entryOf(op).aval(inputAvals as never, params as never) as Aval;
  return { op, params, bodies: [], inputs: [], inputAvals, aval, outputs: null, result: 0, kindHash: 0 };
};

const meant = ({ op, params, inputAvals, aval }: Instruction, inputs: readonly Given[]): TypedArray => {
  const meaning = (meanings as unknown as Record<string, (...args: unknown[]) => TypedArray>)[op]!;
  return meaning(
    inputs.map(({ data }) => data),
    params,
    { inputAvals, aval, outputs: null, bodies: [] },
  );
};

const split = ({ dtype }: Aval, data: TypedArray): Float32Array =>
  floatsOf[dtype] === 2
    ? Float32Array.from({ length: data.length * 2 }, (_, i) => (data[i >> 1]! >>> (16 * (i & 1))) & 0xffff)
    : Float32Array.from(data);

const joined = (aval: Aval, floats: Float32Array): TypedArray => {
  const data = allocate(aval.dtype, sizeOf(aval.shape));
  for (let i = 0; i < data.length; i++)
    data[i] =
      floatsOf[aval.dtype] === 2
        ? floats[2 * i]! +
          floats[2 * i + 1]! * 65536 -
          (aval.dtype === 'int32' && floats[2 * i + 1]! > 32767 ? 2 ** 32 : 0)
        : floats[i]!;
  return data;
};

/** Runs the passes, the operands in larger buffers. */
const computed = async (
  launcher: Launcher,
  traits: Traits,
  instruction: Instruction,
  inputs: readonly Given[],
): Promise<TypedArray> => {
  const buffers: DeviceBuffer[] = [];
  const operands = inputs.map(({ aval, data }, i) => {
    const own = split(aval, data);
    const before = (i + 2) * floatsOf[aval.dtype];
    const larger = new Float32Array(own.length + before + 3).fill(77);
    larger.set(own, before);
    buffers.push(launcher.upload(larger));
    return { value: i, offset: i + 2, floats: larger.length };
  });
  let next = inputs.length;
  const sequence = new Sequence(traits, () => next++);
  const value = writeLoops(sequence, instruction, operands);
  for (const { pass, reads, makes } of sequence.launches) {
    const launchable = await launcher.prepare(pass);
    const numbers = pass.numbers.map(number => (number.kind === 'constant' ? number.value : Number.NaN));
    expect(reads.map(read => buffers[read]!.floats)).toEqual(pass.reads);
    expect(reads.length).toBeLessThanOrEqual(traits.reads);
    const made = launcher.launch(
      launchable,
      reads.map(read => buffers[read]!),
      numbers,
    );
    makes.forEach((each, i) => {
      buffers[each] = made[i]!;
    });
  }
  const floats = await launcher.read(buffers[value]!);
  expect(floats.length).toBe(floatsIn(instruction.aval));
  return joined(instruction.aval, floats);
};

/** Errors are measured against the largest sum of magnitudes there could be. */
const compare = (actual: TypedArray, expected: TypedArray, tolerance: number): void => {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) {
    const [x, y] = [actual[i]!, expected[i]!];
    const same = Object.is(x, y) || x === y || Math.abs(x - y) <= tolerance;
    if (!same) expect.fail(`element ${i} is ${x} and should be ${y}`);
  }
};

/** As many units as a graphics card has: what is chosen by their number comes out otherwise. */
const units = [1, 100_000];

describe.each(['cpu', 'webasm', 'webgpu'] as const)('in the mode %s', mode => {
  let launcher: Launcher;
  beforeAll(async () => {
    launcher = await (mode === 'webgpu' ? openWebGpu() : openArrays(mode));
  });
  afterAll(() => launcher.destroy());

  const check = async (
    op: string,
    params: Params,
    inputs: readonly Given[],
    tolerance = 0,
    more: Partial<Traits> = {},
  ) => {
    const instruction = instructionOf(op, params, inputs);
    expect(loops(instruction)).toBe(true);
    const expected = meant(instruction, inputs);
    for (const threads of units) {
      const data = await computed(launcher, { ...launcher.traits, threads, ...more }, instruction, inputs);
      compare(data, expected, tolerance);
    }
  };

  it.each(['float32', 'int32', 'uint8'] as const)('pads %s before, after and between', async dtype => {
    const x = tensor([2, 3, 5], dtype, anyWord);
    await check('pad', { low: [0, 2, 1], high: [1, 0, 3], interior: [0, 2, 1] }, [x]);
    await check('pad', { low: [3, 0, 0], high: [0, 0, 0], interior: [4, 0, 6] }, [x]);
    await check('pad', { low: [2], high: [1], interior: [3] }, [tensor([1], dtype, anyWord)]);
  });

  it.each([0, 1, 2])('joins along axis %i, in more passes than one if need be', async axis => {
    for (const dtype of ['float32', 'uint32'] as const) {
      const parts = [1, 4, 0, 2, 3, 1, 1].map((n, i) => tensor([2, 3, 2].with(axis, n), dtype, anyWord, i));
      await check('concat', { axis }, parts);
      await check('concat', { axis }, parts, 0, { reads: 2 });
    }
  });

  it.each([0, 1, 2])('gathers along axis %i, also what is outside', async axis => {
    for (const dtype of ['float32', 'int32', 'bool'] as const) {
      const x = tensor([4, 5, 3], dtype, dtype === 'bool' ? next => Number(next() > 0.5) : anyWord);
      await check('gather', { axis }, [x, tensor([2, 4], 'int32', few, 5)]);
      await check('gather', { axis }, [x, tensor([], 'int32', () => 2)]);
    }
    await check('gather', { axis: 0 }, [tensor([3], 'float32', odd), tensor([5], 'int32', anyWord)]);
  });

  it.each([0, 1, 2])('adds up updates along axis %i', async axis => {
    const at = (shape: readonly number[]) => shape.toSpliced(axis, 0, 3, 40);
    const indices = tensor([3, 40], 'int32', next => Math.floor(next() * 9) - 1, 3);
    await check('scatterAdd', { axis, length: 7 }, [tensor(at([2, 3]), 'int32', anyWord), indices]);
    // Up to 120 numbers below 1, each addition with an error of half a unit of at most 120.
    await check(
      'scatterAdd',
      { axis, length: 7 },
      [tensor(at([2, 3]), 'float32', centred), indices],
      120 * 120 * 2 ** -24,
    );
  });

  it('adds up updates by sorting where there are many places', async () => {
    const indices = tensor([5000], 'int32', (next, i) => (i % 3 === 0 ? 7 : Math.floor(next() * 70_000) - 100), 3);
    await check('scatterAdd', { axis: 0, length: 69_000 }, [tensor([5000], 'int32', anyWord), indices]);
  });

  it.each(['int32', 'uint32', 'float32'] as const)('finds the first best of %s', async dtype => {
    const draws = dtype === 'float32' ? [odd, centred] : [anyWord, few];
    for (const draw of draws) {
      for (const [shape, axis] of [
        [[3, 5, 4], 0],
        [[3, 5, 4], 1],
        [[3, 5, 4], 2],
        [[300], 0],
        [[2, 777, 2], 1],
      ] as const) {
        const x = tensor(shape, dtype, draw, 9);
        await check('argmax', { axes: [axis] }, [x]);
        await check('argmin', { axes: [axis] }, [x]);
      }
    }
  });

  it.each(['int32', 'uint32', 'float32'] as const)('finds the last best so far of %s', async dtype => {
    for (const draw of dtype === 'float32' ? [odd, centred] : [anyWord, few]) {
      for (const [shape, axis] of [
        [[3, 5, 4], 0],
        [[3, 5, 4], 2],
        [[1500], 0],
        [[2, 177, 3], 1],
      ] as const) {
        const x = tensor(shape, dtype, draw, 9);
        await check('cumargmax', { axis }, [x]);
        await check('cumargmin', { axis }, [x]);
      }
    }
  });

  it.each([false, true])('adds up along axes (reverse: %s)', async reverse => {
    for (const [shape, axis] of [
      [[3, 5, 4], 0],
      [[3, 5, 4], 2],
      [[1500], 0],
      [[2, 177, 3], 1],
      [[1], 0],
    ] as const) {
      const n = shape[axis]!;
      for (const dtype of ['int32', 'uint32'] as const)
        await check('cumsum', { axis, reverse }, [tensor(shape, dtype, anyWord)]);
      // Each of n additions rounds a number below n to half a unit of it.
      await check('cumsum', { axis, reverse }, [tensor(shape, 'float32', centred)], n * n * 2 ** -24);
      await check(
        'cumsum',
        { axis, reverse },
        [tensor(shape, 'float32', (next, i) => (i === n - 2 ? -Infinity : odd(next, i) || 1))],
        0,
      );
    }
  });

  it.each([false, true])('runs recurrences (reverse: %s)', async reverse => {
    for (const [shape, axis] of [
      [[3, 5, 4], 0],
      [[3, 5, 4], 2],
      [[1500], 0],
      [[2, 177, 3], 1],
      [[1], 0],
    ] as const) {
      for (const dtype of ['int32', 'uint32'] as const)
        await check('recurrence', { axis, reverse }, [tensor(shape, dtype, anyWord), tensor(shape, dtype, anyWord, 2)]);
      // Contracting by 0.9 at most: |h| is below 10, and so is what errors of 10 · 2^-24 · 2 a step add up to.
      const factors = tensor(shape, 'float32', next => next() * 1.8 - 0.9);
      await check('recurrence', { axis, reverse }, [factors, tensor(shape, 'float32', centred, 2)], 200 * 2 ** -24);
    }
  });

  it('has no NaN in a recurrence where a product of factors leaves the range of floats', async () => {
    const n = 1000;
    const zeros = tensor([n], 'float32', () => 0);
    await check('recurrence', { axis: 0, reverse: false }, [tensor([n], 'float32', () => 1e10), zeros]);
    const infinite = tensor([n], 'float32', (_, i) => (i === 3 ? Infinity : 0));
    await check('recurrence', { axis: 0, reverse: false }, [tensor([n], 'float32', () => 1e-10), infinite]);
    await check('recurrence', { axis: 0, reverse: false }, [
      tensor([n], 'float32', (_, i) => (i === 500 ? 0 : 1)),
      infinite,
    ]);
    // Up by powers of two, and down again: exact.
    const swinging = tensor([n], 'float32', (_, i) => (Math.floor(i / 60) % 2 === 0 ? 2 : 0.5));
    await check('recurrence', { axis: 0, reverse: false }, [
      swinging,
      tensor([n], 'float32', (_, i) => (i === 0 ? 1 : 0)),
    ]);
  });

  it.each(['int32', 'uint32', 'float32', 'uint8'] as const)('sorts %s', async dtype => {
    for (const draw of dtype === 'float32' ? [odd, centred] : [anyWord, few]) {
      for (const [shape, axis] of [
        [[3, 5, 4], 0],
        [[3, 5, 4], 2],
        [[1500], 0],
        [[2, 177, 3], 1],
        [[1], 0],
      ] as const) {
        const x = tensor(shape, dtype, draw, 9);
        await check('argsort', { axis }, [x]);
        await check('argsort', { axis, count: Math.ceil(shape[axis]! / 3) }, [x]);
      }
    }
  });
});

describe('what stays on the CPU', () => {
  it('is float64, empty, or longer than floats can count', () => {
    const given = (shape: readonly number[], dtype: DType): Given => ({
      aval: { shape, dtype },
      data: allocate(dtype, 0),
    });
    const can = (op: string, params: Params, ...inputs: Given[]) => loops(instructionOf(op, params, inputs));
    expect(can('cumsum', { axis: 0, reverse: false }, given([3], 'float64'))).toBe(false);
    expect(can('cumsum', { axis: 0, reverse: false }, given([3], 'float32'))).toBe(true);
    expect(can('cumsum', { axis: 0, reverse: false }, given([2 ** 24], 'float32'))).toBe(false);
    expect(
      can('recurrence', { axis: 0, reverse: false }, given([2 ** 21], 'float32'), given([2 ** 21], 'float32')),
    ).toBe(false);
    expect(can('gather', { axis: 0 }, given([0, 2], 'float32'), given([3], 'int32'))).toBe(false);
    expect(can('sum', { axes: [0] }, given([3], 'float32'))).toBe(false);
  });
});
