/** The convolution primitive: all three of its results on both backends against the trilinear form itself; its shape rule. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { b } from '../../src/tensor/build.js';
import type { DType } from '../../src/tensor/dtype.js';
import { operandRoles, outputLength } from '../../src/tensor/primitives/convolution.js';
import type { ConvParams, ConvRole } from '../../src/tensor/primitives/signatures.js';
import { range, type Shape, sizeOf } from '../../src/tensor/shape.js';
import { nodeOf, type Tensor, wrap } from '../../src/tensor/tensor.js';
import { caught } from '../helpers.js';
import { numbersOn, stored } from './calculus.js';

const indices = (shape: Shape): number[][] =>
  shape.reduce<number[][]>((list, n) => list.flatMap(index => range(n).map(i => [...index, i])), [[]]);
const flat = (index: readonly number[], shape: Shape): number =>
  index.every((i, axis) => i >= 0 && i < shape[axis]!) ? index.reduce((at, i, axis) => at * shape[axis]! + i, 0) : -1;

type Shapes = Readonly<Record<ConvRole, Shape>>;

/** Places that meet within all three, flat: [input, kernel, output]. */
const meetings = (
  { input, kernel, output }: Shapes,
  { strides, dilation, padding }: Omit<ConvParams, 'of' | 'size'>,
) => {
  const [n, g, c] = input;
  return indices([n!, g!, c!, ...output.slice(2)]).flatMap(([i, j, l, o, ...t]) =>
    indices(kernel.slice(3)).flatMap(k => {
      const s = t.map((each, axis) => each * strides[axis]! + k[axis]! * dilation[axis]! - padding[axis]![0]);
      const x = flat([i!, j!, l!, ...s], input);
      return x < 0 ? [] : [[x, flat([j!, o!, l!, ...k], kernel), flat([i!, j!, o!, ...t], output)] as const];
    }),
  );
};

/** One for each of up to three spatial axes. */
const three = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(each, { minLength: 3, maxLength: 3 });

const cases = fc
  .record({
    rank: fc.integer({ min: 1, max: 3 }),
    letters: fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 2 }), fc.nat(5), fc.nat(5)),
    lengths: three(fc.nat(6)),
    kernel: three(fc.integer({ min: 1, max: 3 })),
    strides: three(fc.integer({ min: 1, max: 4 })),
    dilation: three(fc.integer({ min: 1, max: 3 })),
    padding: three(fc.tuple(fc.integer({ min: -2, max: 4 }), fc.integer({ min: -2, max: 4 }))),
    dtype: fc.constantFrom<DType>('float32', 'float64', 'int32', 'uint32'),
  })
  .map(({ rank, letters: [n, g, o, c], lengths, kernel, strides, dilation, padding, dtype }) => {
    const params = {
      strides: strides.slice(0, rank),
      dilation: dilation.slice(0, rank),
      padding: padding.slice(0, rank),
    };
    const t = range(rank).map(i => outputLength(lengths[i]!, kernel[i]!, strides[i]!, dilation[i]!, padding[i]!));
    const shapes: Shapes = {
      input: [n, g, c, ...lengths.slice(0, rank)],
      kernel: [g, o, c, ...kernel.slice(0, rank)],
      output: [n, g, o, ...t],
    };
    return { shapes, params, dtype };
  });

/** Small integers. */
const filled = (shape: Shape, dtype: DType, seed: number): Tensor =>
  stored({ shape, dtype }, i => ((i * 5 + seed) % 7) - (dtype === 'uint32' ? 0 : 3));

describe.each([wasmBackend, referenceBackend])('$name', backend => {
  it.each(['output', 'input', 'kernel'] as const)('gives the %s', of => {
    fc.assert(
      fc.property(cases, ({ shapes, params, dtype }) => {
        const given = operandRoles(of);
        const operands = given.map((role, i) => filled(shapes[role], dtype, i));
        const [x, y] = operands.map(nodeOf);
        const result = wrap(b.conv(x!, y!, { ...params, of, size: shapes[of].slice(3) })) as Tensor;
        const values = operands.map(each => each.dataSync());
        const wanted = new Float64Array(sizeOf(shapes[of]));
        for (const [input, kernel, output] of meetings(shapes, params)) {
          const at = { input, kernel, output };
          wanted[at[of]] = wanted[at[of]]! + Number(values[0]![at[given[0]]]) * Number(values[1]![at[given[1]]]);
        }
        expect(result.shape).toEqual(shapes[of]);
        expect(numbersOn(backend, result).map(each => each + 0)).toEqual([...wanted].map(each => each + 0));
      }),
      { numRuns: 300 },
    );
  });
});

it('infinities and what is not a number spread alike on both backends, from the zeros of the padding too', () => {
  const special = [0, 1, Number.POSITIVE_INFINITY, -1, 0, 2, 1, Number.NaN, 3, 0, 1, Number.NEGATIVE_INFINITY, 1];
  fc.assert(
    fc.property(cases, fc.nat(12), fc.constantFrom<ConvRole>('output', 'input', 'kernel'), (one, shift, of) => {
      const dtype = one.dtype === 'float32' ? 'float32' : 'float64';
      // In one operand only, so that there are sums without them.
      for (const operand of [0, 1]) {
        const [x, y] = operandRoles(of).map((role, i) =>
          stored({ shape: one.shapes[role], dtype }, j => (operand === i ? special[(j + shift) % 13]! : 1 + (j % 3))),
        );
        const result = (): Tensor =>
          wrap(b.conv(nodeOf(x!), nodeOf(y!), { ...one.params, of, size: one.shapes[of].slice(3) })) as Tensor;
        expect(numbersOn(wasmBackend, result())).toEqual(numbersOn(referenceBackend, result()));
      }
    }),
    { numRuns: 300 },
  );
});

describe('its shape rule', () => {
  const x = nodeOf(filled([2, 1, 3, 5], 'float32', 0));
  const w = nodeOf(filled([1, 4, 3, 2], 'float32', 0));
  const params: ConvParams = { of: 'output', strides: [2], dilation: [1], padding: [[1, 0]], size: [3] };

  it('says what the result is', () => {
    expect(b.conv(x, w, params).shape).toEqual([2, 1, 4, 3]);
  });

  it('refuses what does not go together', () => {
    const refused = (f: () => unknown): string => `${caught(f)._tag}: ${caught(f).message}`;
    expect(refused(() => b.conv(x, w, { ...params, size: [4] }))).toContain(
      'ShapeError: conv: got float32[2, 1, 3, 5] and float32[1, 4, 3, 2]; an input of the lengths [5] and a kernel of [2] ' +
        'have an output of [3], not [4]',
    );
    expect(refused(() => b.conv(x, w, { ...params, strides: [1, 1] }))).toContain('strides [1, 1], dilation [1]');
    expect(refused(() => b.conv(x, w, { ...params, strides: [0] }))).toContain('one positive integer a spatial axis');
    expect(refused(() => b.conv(x, nodeOf(filled([1, 4, 2, 2], 'float32', 0)), params))).toContain(
      'as input and kernel they have 3 and 2 for c',
    );
    expect(refused(() => b.conv(x, nodeOf(filled([1, 4, 3, 2], 'float64', 0)), params))).toContain(
      'DTypeError: conv: ',
    );
    const bytes = nodeOf(filled([2, 1, 3, 5], 'uint8', 3));
    expect(refused(() => b.conv(bytes, bytes, params))).toContain('one dtype out of float32, float64, int32, uint32');
  });
});
