/**
 * Loop kernels, each alone in a memory full of garbage: what they compute beside the reference, and that they write to
 * nothing but their result and scratch memory and read nothing more than 15 bytes behind their inputs.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateInstruction } from '../../src/tensor/backend/reference/reference.js';
import { wasmApi } from '../../src/tensor/backend/wasm/api.js';
import { link } from '../../src/tensor/backend/wasm/assembler.js';
import { loopKernelOf } from '../../src/tensor/backend/wasm/loops/loops.js';
import type { Instruction } from '../../src/tensor/compile/program.js';
import { allocate, type DType, dtypes, isFloat, type TypedArray } from '../../src/tensor/dtype.js';
import type { Params } from '../../src/tensor/graph.js';
import type { ParamsOf, PrimitiveName } from '../../src/tensor/primitives/signatures.js';
import { entryOf } from '../../src/tensor/primitives/table.js';
import { type Aval, range, type Shape, sizeOf } from '../../src/tensor/shape.js';

const instructionOf = <P extends PrimitiveName>(
  op: P,
  params: ParamsOf<P>,
  inputAvals: readonly Aval[],
): Instruction => {
  const entry = entryOf(op) as unknown as { aval(inputs: readonly Aval[], params: ParamsOf<P>): Aval };
  return {
    op,
    params: params as unknown as Params,
    bodies: [],
    inputs: range(inputAvals.length),
    inputAvals,
    aval: entry.aval(inputAvals, params),
    outputs: null,
    kindHash: 0,
    result: inputAvals.length,
  };
};

const bytesIn = (array: TypedArray): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** What the kernel makes of the inputs, with each of them in turn at the end of the memory, but for 15 bytes. */
const run = (instruction: Instruction, inputs: readonly TypedArray[]): TypedArray => {
  const kernel = loopKernelOf(instruction);
  if (kernel === null) throw new Error(`no kernel for ${instruction.op}`);
  const result = allocate(instruction.aval.dtype, sizeOf(instruction.aval.shape));
  const buffers = [...inputs, result, new Float64Array(kernel.scratch / 8)];
  const pages = Math.ceil(buffers.reduce((sum, { byteLength }) => sum + byteLength + 64, 64) / 2 ** 16);
  const { Memory, Module, Instance } = wasmApi();
  const memory = new Memory({ initial: pages, maximum: pages });
  const { exports } = new Instance(new Module(link([{ name: 'k', writer: kernel.writer }]).bytes), {
    env: { memory },
  });
  const all = new Uint8Array(memory.buffer);
  for (let last = 0; last < inputs.length; last++) {
    let end = all.length - 15;
    const places = new Array<number>(buffers.length);
    for (const i of [last, ...range(buffers.length).filter(i => i !== last)]) {
      const { byteLength, BYTES_PER_ELEMENT } = buffers[i]!;
      const place = end - byteLength;
      places[i] = place - (place % BYTES_PER_ELEMENT);
      end = places[i]! - 40;
    }
    for (let i = 0; i < all.length; i++) all[i] = (i * 167 + 91) & 0xff;
    inputs.forEach((array, i) => {
      all.set(bytesIn(array), places[i]!);
    });
    const before = all.slice();
    (exports.k as (...addresses: number[]) => void)(...places);
    bytesIn(result).set(all.subarray(places[inputs.length], places[inputs.length]! + result.byteLength));
    for (const i of [inputs.length, inputs.length + 1]) {
      const [from, to] = [places[i]!, places[i]! + buffers[i]!.byteLength];
      all.set(before.subarray(from, to), from);
    }
    if (!all.every((byte, i) => byte === before[i])) expect.fail('bytes beside the result were written');
  }
  return result;
};

const expectSame = (instruction: Instruction, inputs: readonly TypedArray[]): void => {
  const got = run(instruction, inputs);
  const wanted = evaluateInstruction(instruction, inputs, []) as TypedArray;
  const at = wanted.findIndex((x, i) => !Object.is(x, got[i]!));
  if (got.length !== wanted.length || at >= 0) {
    expect.fail(
      `${JSON.stringify({ ...instruction, bodies: undefined })}: element ${at} is ${got[at]} instead of ${wanted[at]}`,
    );
  }
};

// ——— Generators ———

const special = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, -1];

/** Elements out of a seed: many ties; floats may be anything, or ordinary only. */
const filled = ({ shape, dtype }: Aval, seed: number, kind: 'any' | 'ordinary' = 'any'): TypedArray => {
  let state = seed | 1;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  return allocate(dtype, sizeOf(shape)).map(() => {
    if (dtype === 'bool') return random() < 0.5 ? 0 : 1;
    if (isFloat(dtype)) {
      const chance = random();
      if (kind === 'any' && chance < 0.2) return special[Math.floor(random() * special.length)]!;
      return chance < 0.4 ? Math.round(random() * 8 - 4) : (random() - 0.5) * 10 ** (random() * 8 - 4);
    }
    return random() < 0.5 ? Math.floor(random() * 5) : Math.floor(random() * 2 ** 32);
  });
};

/** Places in an axis of this length, some of them outside. */
const indicesFor = (shape: Shape, length: number, seed: number): TypedArray => {
  const outside = [-1, length, -(2 ** 31), 2 ** 31 - 1];
  return Int32Array.from(filled({ shape, dtype: 'uint32' }, seed), x =>
    length === 0 || x % 5 === 4 ? outside[x % 4]! : x % length,
  );
};

const seed = fc.integer({ min: 1, max: 2 ** 30 });
const lengths = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 6 }) },
  { weight: 3, arbitrary: fc.integer({ min: 7, max: 40 }) },
  { weight: 1, arbitrary: fc.constant(0) },
);
const shapes = (min: number, max: number): fc.Arbitrary<readonly number[]> =>
  fc.array(lengths, { minLength: min, maxLength: max }).filter(shape => sizeOf(shape) <= 20_000);
const axisOf = (shape: Shape): fc.Arbitrary<number> => fc.nat(shape.length - 1);
const anyDtype = fc.constantFrom(...dtypes);
const numericDtype = fc.constantFrom<DType>('float32', 'float64', 'int32', 'uint32');

const check = <T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => void, numRuns = 200): void => {
  fc.assert(fc.property(arbitrary, property), { numRuns, seed: 7 });
};

describe('moves', () => {
  it('pad', () => {
    const amounts = (shape: Shape) => fc.tuple(...shape.map(() => fc.constantFrom(0, 0, 1, 2, 3)));
    const cases = shapes(0, 3).chain(shape =>
      fc.record({
        shape: fc.constant(shape),
        dtype: anyDtype,
        params: fc.record({ low: amounts(shape), high: amounts(shape), interior: amounts(shape) }),
        seed,
      }),
    );
    check(cases, ({ shape, dtype, params, seed }) => {
      const x = { shape, dtype };
      expectSame(instructionOf('pad', params, [x]), [filled(x, seed)]);
    });
  });

  it('concat', () => {
    const cases = shapes(1, 4).chain(shape =>
      fc.record({
        shape: fc.constant(shape),
        axis: axisOf(shape),
        dtype: anyDtype,
        along: fc.array(lengths, { minLength: 1, maxLength: 4 }),
        seed,
      }),
    );
    check(cases, ({ shape, axis, dtype, along, seed }) => {
      const avals = along.map(length => ({ shape: shape.map((n, i) => (i === axis ? length : n)), dtype }));
      const inputs = avals.map((aval, i) => filled(aval, seed + i));
      expectSame(instructionOf('concat', { axis }, avals), inputs);
    });
  });

  const indexed = fc
    .tuple(shapes(1, 4), shapes(0, 2))
    .chain(([shape, index]) =>
      fc.record({ shape: fc.constant(shape), index: fc.constant(index), axis: axisOf(shape), dtype: anyDtype, seed }),
    );

  it('gather', () => {
    check(indexed, ({ shape, index, axis, dtype, seed }) => {
      const avals: Aval[] = [
        { shape, dtype },
        { shape: index, dtype: 'int32' },
      ];
      expectSame(instructionOf('gather', { axis }, avals), [
        filled(avals[0]!, seed),
        indicesFor(index, shape[axis]!, seed),
      ]);
    });
    // Blocks of all sizes around those that are copied in other ways.
    for (const block of [1, 2, 3, 5, 7, 15, 16, 17, 31, 127, 128, 129, 511, 512, 513, 1000]) {
      const avals: Aval[] = [
        { shape: [2, 3, block], dtype: 'uint8' },
        { shape: [4], dtype: 'int32' },
      ];
      expectSame(instructionOf('gather', { axis: 1 }, avals), [filled(avals[0]!, block), Int32Array.of(2, 0, 3, 1)]);
    }
  });

  it('scatterAdd', () => {
    check(indexed, ({ shape, index, axis, dtype, seed }) => {
      if (dtype === 'bool') return;
      const length = shape[axis]!;
      const avals: Aval[] = [
        { shape: [...shape.slice(0, axis), ...index, ...shape.slice(axis + 1)], dtype },
        { shape: index, dtype: 'int32' },
      ];
      const inputs = [filled(avals[0]!, seed), indicesFor(index, length, seed)];
      expectSame(instructionOf('scatterAdd', { axis, length }, avals), inputs);
    });
  });
});

describe('argmax and argmin', () => {
  const cases = shapes(0, 4).chain(shape =>
    fc.record({
      shape: fc.constant(shape),
      // In any order: batching and users give them as they like.
      axes: fc.shuffledSubarray(range(shape.length)),
      dtype: numericDtype,
      seed,
    }),
  );

  it('find the first of the best, over any axes', () => {
    check(cases, ({ shape, axes, dtype, seed }) => {
      if (axes.some(axis => shape[axis] === 0)) return;
      for (const op of ['argmax', 'argmin'] as const) {
        expectSame(instructionOf(op, { axes }, [{ shape, dtype }]), [filled({ shape, dtype }, seed)]);
      }
    });
  });
});

describe('contractions', () => {
  const exact = fc.constantFrom<DType>('float64', 'int32', 'uint32');
  const small = fc.array(lengths, { maxLength: 2 }).filter(shape => sizeOf(shape) <= 60);

  it('over any axes', () => {
    const cases = fc
      .tuple(small, small, small, small)
      .filter(parts => parts.reduce((n, shape) => n * Math.max(1, sizeOf(shape)), 1) <= 300_000)
      .chain(([batch, rows, columns, terms]) => {
        const order = (free: Shape) => {
          const n = batch.length + free.length + terms.length;
          return fc.shuffledSubarray(range(n), { minLength: n, maxLength: n });
        };
        return fc.record({
          parts: fc.constant({ batch, rows, columns, terms }),
          left: order(rows),
          right: order(columns),
          dtype: exact,
          seed,
        });
      });
    check(
      cases,
      ({ parts: { batch, rows, columns, terms }, left, right, dtype, seed }) => {
        // `order` says where each axis of (batch, free, contracted) stands in the operand.
        const operand = (free: Shape, order: readonly number[]) => {
          const own = [...batch, ...free, ...terms];
          const shape = new Array<number>(own.length);
          order.forEach((place, i) => {
            shape[place] = own[i]!;
          });
          return {
            aval: { shape, dtype },
            batch: order.slice(0, batch.length),
            contract: order.slice(batch.length + free.length),
          };
        };
        const [lhs, rhs] = [operand(rows, left), operand(columns, right)];
        const instruction = instructionOf(
          'dotGeneral',
          { lhsContract: lhs.contract, rhsContract: rhs.contract, lhsBatch: lhs.batch, rhsBatch: rhs.batch },
          [lhs.aval, rhs.aval],
        );
        // The reference adds in the same order, so there is nothing to allow for.
        expectSame(instruction, [filled(lhs.aval, seed), filled(rhs.aval, seed + 1)]);
      },
      300,
    );
  });

  it('products of matrices, with either operand transposed', () => {
    for (const [m, k, n] of [
      [1, 50, 1],
      [17, 33, 19],
      [4, 8, 8],
      [64, 64, 64],
      [1, 7, 30],
      [30, 7, 1],
    ] as const) {
      for (const [l, r] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ] as const) {
        for (const dtype of ['float64', 'int32'] as const) {
          const avals: Aval[] = [
            { shape: l === 0 ? [k, m] : [m, k], dtype },
            { shape: r === 0 ? [k, n] : [n, k], dtype },
          ];
          const params = { lhsContract: [l], rhsContract: [r], lhsBatch: [], rhsBatch: [] };
          expectSame(
            instructionOf('dotGeneral', params, avals),
            avals.map(aval => filled(aval, m + n, 'ordinary')),
          );
        }
      }
    }
  });

  it('leaves float32 to others', () => {
    const x: Aval = { shape: [2], dtype: 'float32' };
    const params = { lhsContract: [0], rhsContract: [0], lhsBatch: [], rhsBatch: [] };
    expect(loopKernelOf(instructionOf('dotGeneral', params, [x, x]))).toBeNull();
    expect(loopKernelOf(instructionOf('neg', {}, [x]))).toBeNull();
  });
});

describe('scans', () => {
  const cases = shapes(1, 3).chain(shape =>
    fc.record({
      shape: fc.constant(shape),
      axis: axisOf(shape),
      dtype: fc.constantFrom('float32', 'float64', 'int32', 'uint32' as const),
      reverse: fc.boolean(),
      seed,
    }),
  );

  it('add up and recur, in the order of the elements', () => {
    check(cases, ({ shape, axis, dtype, reverse, seed }) => {
      const x: Aval = { shape, dtype };
      const inputs = [filled(x, seed), filled(x, seed + 1, 'ordinary')];
      expectSame(instructionOf('cumsum', { axis, reverse }, [x]), inputs.slice(0, 1));
      expectSame(instructionOf('recurrence', { axis, reverse }, [x, x]), inputs);
    });
  });

  it('find the extremes so far, the latest of equal ones, NaN first of all', () => {
    check(cases, ({ shape, axis, dtype, seed }) => {
      for (const op of ['cumargmax', 'cumargmin'] as const) {
        expectSame(instructionOf(op, { axis }, [{ shape, dtype }]), [filled({ shape, dtype }, seed)]);
      }
    });
  });
});

describe('argsort', () => {
  it('is stable, with NaN last', () => {
    const cases = shapes(1, 3).chain(shape =>
      fc.record({ shape: fc.constant(shape), axis: axisOf(shape), dtype: anyDtype, seed }),
    );
    check(cases, ({ shape, axis, dtype, seed }) => {
      expectSame(instructionOf('argsort', { axis }, [{ shape, dtype }]), [filled({ shape, dtype }, seed)]);
    });
  });

  it('of the first few alone', () => {
    const cases = fc.record({ length: fc.integer({ min: 0, max: 300 }), count: fc.nat(40), dtype: anyDtype, seed });
    check(cases, ({ length, count, dtype, seed }) => {
      for (const axis of [0, 1]) {
        const x: Aval = { shape: axis === 0 ? [length, 3] : [2, length], dtype };
        const params = { axis, count: Math.min(count, length) };
        expectSame(instructionOf('argsort', params, [x]), [filled(x, seed)]);
      }
    });
  });

  it('of NaNs of any sign and payload, among the largest', () => {
    const bits = Int32Array.of(
      -1,
      0x7f800000,
      0x7fc00001,
      0x7fffffff,
      0x7f7fffff,
      -(2 ** 31),
      0,
      1,
      -8388608,
      -4194304,
    );
    const instruction = instructionOf('argsort', { axis: 0 }, [{ shape: [bits.length], dtype: 'float32' }]);
    expect([...run(instruction, [new Float32Array(bits.buffer)])]).toEqual([8, 5, 6, 7, 4, 1, 0, 2, 3, 9]);
  });

  it('of long rows', () => {
    for (const dtype of dtypes) {
      for (const length of [1000, 1024, 4097]) {
        const x = { shape: [2, length], dtype };
        expectSame(instructionOf('argsort', { axis: 1 }, [x]), [filled(x, length)]);
      }
    }
  });
});
