import * as fc from 'fast-check';
import { pipe } from 'fp-ts/lib/function.js';
import {
  arange,
  dot,
  dotGeneral,
  einsum,
  explain,
  grad,
  jit,
  kron,
  matmul,
  multiDot,
  outer,
  reshape,
  sum,
  type Tensor,
  tensor,
  tensordot,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../helpers.js';

/** 0, 1, 2, … in a shape; products of these stay exact. */
const counted = (shape: readonly number[]): Tensor => reshape(arange(shape.reduce((size, n) => size * n, 1)), shape);

const a = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const c = tensor([
  [1, 0],
  [0, 1],
  [1, 1],
]);

describe('matmul', () => {
  test('matrices and vectors', () => {
    const ac = matmul(a, c);
    expectTypeOf(ac).toEqualTypeOf<Tensor<readonly [2, 2], 'float32'>>();
    expect(ac.toArray()).toEqual([
      [4, 5],
      [10, 11],
    ]);
    const av = matmul(a, tensor([1, 0, 1]));
    expectTypeOf(av).toEqualTypeOf<Tensor<readonly [2], 'float32'>>();
    expect(av.toArray()).toEqual([4, 10]);
    const va = matmul(tensor([1, 10]), a);
    expectTypeOf(va).toEqualTypeOf<Tensor<readonly [3], 'float32'>>();
    expect(va.toArray()).toEqual([41, 52, 63]);
    const vv = matmul(tensor([1, 2]), tensor([3, 4]));
    expectTypeOf(vv).toEqualTypeOf<Tensor<readonly [], 'float32'>>();
    expect(vv.item()).toBe(11);
  });

  test('data-last it is still a times b', () => {
    const ac = pipe(a, matmul(c));
    expectTypeOf(ac).toEqualTypeOf<Tensor<readonly [2, 2], 'float32'>>();
    expect(ac.toArray()).toEqual(matmul(a, c).toArray());
  });

  test('any ranks, as a plain sum', () => {
    const batch = fc.constantFrom<readonly number[]>([], [2], [1], [3, 2], [3, 1], [1, 2]);
    fc.assert(
      fc.property(batch, batch, fc.nat(3), fc.nat(3), fc.nat(3), (left, right, m, k, n) => {
        const [x, y] = [counted([...left, m, k]), counted([...right, k, n])];
        const rank = Math.max(left.length, right.length);
        const pad = (shape: readonly number[]) => [...new Array<number>(rank - shape.length).fill(1), ...shape];
        const lengths = pad(left).map((length, axis) => (length === 1 ? pad(right)[axis]! : length));
        const result = matmul(x, y);
        expect(result.shape).toEqual([...lengths, m, n]);
        const [xs, ys] = [x.dataSync(), y.dataSync()];
        const expected: number[] = [];
        const flat = (at: readonly number[], shape: readonly number[]): number =>
          shape.reduce((index, length, axis) => index * length + (length === 1 ? 0 : at[axis]!), 0);
        const walk = (at: readonly number[]): void => {
          if (at.length < rank) {
            for (let i = 0; i < lengths[at.length]!; i++) walk([...at, i]);
            return;
          }
          for (let i = 0; i < m; i++) {
            for (let j = 0; j < n; j++) {
              let total = 0;
              for (let p = 0; p < k; p++) {
                total += xs[flat(at, pad(left)) * m * k + i * k + p]! * ys[flat(at, pad(right)) * k * n + p * n + j]!;
              }
              expected.push(total);
            }
          }
        };
        walk([]);
        expect(Array.from(result.dataSync())).toEqual(expected);
      }),
    );
  });

  test('a vector with a stack of matrices', () => {
    const stack = counted([2, 2, 3]);
    expect(matmul(tensor([1, 10]), stack).toArray()).toEqual([
      [30, 41, 52],
      [96, 107, 118],
    ]);
    expect(matmul(stack, tensor([1, 0, 1])).toArray()).toEqual([
      [2, 8],
      [14, 20],
    ]);
    expect(matmul(tensor([1, 10]), counted([2, 1, 2, 3])).shape).toEqual([2, 1, 3]);
  });

  test('no elements', () => {
    expect(matmul(zeros([2, 0]), zeros([0, 2])).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(matmul(zeros([0, 3]), zeros([3, 2])).shape).toEqual([0, 2]);
  });

  test('dtypes', () => {
    const ints = tensor([[2 ** 16, 1]], { dtype: 'int32' });
    expect(matmul(ints, tensor([[2 ** 16], [1]], { dtype: 'int32' })).toArray()).toEqual([[1]]);
    const bools = matmul(tensor([[true, true]]), tensor([[true], [true]]));
    expectTypeOf(bools).toEqualTypeOf<Tensor<readonly [1, 1], 'int32'>>();
    expect([bools.dtype, bools.toArray()]).toEqual(['int32', [[2]]]);
    expect(matmul(a, zeros([3, 1], { dtype: 'float64' })).dtype).toBe('float64');
    expect(matmul(zeros([1, 1], { dtype: 'uint32' }), tensor([[true]])).dtype).toBe('uint32');
    expect(matmul(tensor([[0.1]], { dtype: 'float64' }), tensor([[3]], { dtype: 'int32' })).item()).toBe(0.1 * 3);
  });

  test('derivatives and batches', () => {
    expect(grad((x: Tensor<readonly [2, 3]>) => sum(matmul(x, c)))(a).toArray()).toEqual([
      [1, 1, 2],
      [1, 1, 2],
    ]);
    expect(grad((x: Tensor<readonly [3, 2]>) => sum(matmul(a, x)))(c).toArray()).toEqual([
      [5, 5],
      [7, 7],
      [9, 9],
    ]);
    const stack = counted([4, 3, 2]);
    const each = vmap((x: Tensor) => matmul(a, x));
    expect((each(stack) as Tensor).toArray()).toEqual(matmul(a, stack).toArray());
    expect(grad((x: Tensor<readonly [2, 3]>) => sum(matmul(x, stack)))(a).toArray()).toEqual([
      [76, 92, 108],
      [76, 92, 108],
    ]);
  });

  test('refuses', () => {
    // @ts-expect-error the compiler sees it too
    const error = caught(() => matmul(a, a));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toBe(
      'matmul: got float32[2, 3] and float32[2, 3]; inner dimensions 3 and 2 differ. The last axis of the first must ' +
        'be as long as the last but one of the second; transpose one if they are swapped.',
    );
    // @ts-expect-error
    expect(caught(() => pipe(a, matmul(zeros([4])))).message).toContain(
      'float32[2, 3] and float32[4]; inner dimensions 3 and 4 differ',
    );
    // @ts-expect-error matmul: lengths 2 and 4 differ and neither is 1
    const leading = caught(() => matmul(zeros([2, 1, 3]), zeros([4, 3, 1])));
    expect(leading._tag).toBe('ShapeError');
    expect(leading.message).toContain('matmul: got float32[2, 1, 3] and float32[4, 3, 1]; the leading axes do not');
    // @ts-expect-error matmul: a scalar is no matrix
    expect(caught(() => matmul(a, tensor(2))).message).toContain(
      'matmul: got float32[2, 3] and float32[]; a scalar is',
    );
    expect(
      caught(() => matmul(zeros([1, 1], { dtype: 'int32' }), zeros([1, 1], { dtype: 'uint32' }))).message,
    ).toContain('matmul: got int32[1, 1] and uint32[1, 1]; no integer dtype');
    expect(caught(() => matmul(a, zeros([3, 1], { dtype: 'uint8' }))).message).toContain(
      'matmul: got a tensor of uint8',
    );
    expect(caught(() => matmul(a, 2 as never)).message).toContain('matmul: got number 2');
  });
});

describe('dot', () => {
  test('values', () => {
    const x = dot(tensor([1, 2, 3]), tensor([4, 5, 6]));
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [], 'float32'>>();
    expect(x.item()).toBe(32);
    expect(pipe(tensor([1, 2]), dot(tensor([3, 4]))).item()).toBe(11);
    expect(dot(zeros([0]), zeros([0])).item()).toBe(0);
    expect(dot(tensor([true, true]), tensor([true, false])).item()).toBe(1);
    expect(grad((y: Tensor<readonly [2]>) => dot(y, y))(tensor([1, 2])).toArray()).toEqual([2, 4]);
  });

  test('refuses', () => {
    // @ts-expect-error the compiler sees it too
    const error = caught(() => dot(tensor([1, 2]), tensor([1, 2, 3])));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain('dot: got float32[2] and float32[3]; it takes two vectors of one length');
    // @ts-expect-error dot: it takes two vectors, not a tensor of rank 2
    expect(caught(() => dot(a, a)).message).toContain('dot: got float32[2, 3] and float32[2, 3]');
  });
});

describe('outer', () => {
  test('values', () => {
    const x = outer(tensor([1, 2]), tensor([3, 4, 5]));
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [2, 3], 'float32'>>();
    expect(x.toArray()).toEqual([
      [3, 4, 5],
      [6, 8, 10],
    ]);
    expect(pipe(tensor([1, 2]), outer(tensor([3]))).toArray()).toEqual([[3], [6]]);
    expect(outer(zeros([0]), tensor([1])).shape).toEqual([0, 1]);
    expect(outer(tensor([2], { dtype: 'int32' }), tensor([3], { dtype: 'int32' })).toArray()).toEqual([[6]]);
    expect(grad((y: Tensor<readonly [2]>) => sum(outer(y, tensor([1, 10]))))(zeros([2])).toArray()).toEqual([11, 11]);
  });

  test('refuses', () => {
    // @ts-expect-error outer: it takes two vectors, not a tensor of rank 2
    const error = caught(() => outer(a, tensor([1])));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain('outer: got float32[2, 3] and float32[1]; it takes two vectors');
  });
});

describe('dotGeneral', () => {
  test('matmul, dot and outer are cases of it', () => {
    expect(dotGeneral(a, c, { contract: [[1], [0]] }).toArray()).toEqual(matmul(a, c).toArray());
    expect(
      dotGeneral(a, a, {
        contract: [
          [0, 1],
          [0, 1],
        ],
      }).item(),
    ).toBe(91);
    expect(dotGeneral(tensor([1, 2]), tensor([3, 4]), { contract: [[], []] }).toArray()).toEqual([
      [3, 4],
      [6, 8],
    ]);
  });

  test('batch axes lead, then those of the first, then those of the second', () => {
    const x = counted([2, 3, 4]);
    const y = counted([4, 5, 3]);
    expect(dotGeneral(x, y, { contract: [[2], [0]], batch: [[1], [2]] }).shape).toEqual([3, 2, 5]);
    expect(dotGeneral(x, y, { contract: [[-1], [-3]], batch: [[-2], [-1]] }).shape).toEqual([3, 2, 5]);
    expect(dotGeneral(a, a, { contract: [[1], [1]], batch: [[0], [0]] }).toArray()).toEqual([14, 77]);
    expect(
      dotGeneral(a, a, {
        contract: [[], []],
        batch: [
          [1, 0],
          [1, 0],
        ],
      }).toArray(),
    ).toEqual([
      [1, 16],
      [4, 25],
      [9, 36],
    ]);
    expect(pipe(a, dotGeneral(c, { contract: [[1], [0]] })).toArray()).toEqual(matmul(a, c).toArray());
  });

  test('refuses', () => {
    // @ts-expect-error dotGeneral: axis 1 of the first and axis 0 of the second are paired, but their lengths 3 and 2 differ
    const error = caught(() => dotGeneral(a, a, { contract: [[1], [0]] }));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain(
      'dotGeneral: got float32[2, 3] and float32[2, 3]; axis 1 of the first and axis 0 of the second are paired, but their lengths 3 and 2 differ',
    );
    // @ts-expect-error dotGeneral: axis 2 is out of range for rank 2
    expect(caught(() => dotGeneral(a, a, { contract: [[2], [0]] })).message).toContain(
      'dotGeneral: got axis 2 and the',
    );
    // @ts-expect-error dotGeneral: axis 1 is named twice
    expect(caught(() => dotGeneral(a, a, { contract: [[1], [1]], batch: [[-1], [0]] })).message).toContain(
      'dotGeneral: got float32[2, 3], contract [1] and batch [-1]; an axis may be named once only',
    );
    expect(caught(() => dotGeneral(a, a, { contract: [[1], []] })).message).toContain(
      'dotGeneral: got [[1],[]] as contract',
    );
    expect(caught(() => dotGeneral(a, a, {} as never)).message).toContain('dotGeneral: got undefined as contract');
    expect(caught(() => dotGeneral(a, zeros([3], { dtype: 'uint8' }), { contract: [[1], [0]] })).message).toContain(
      'dotGeneral: got a tensor of uint8',
    );
  });
});

describe('tensordot', () => {
  const [x, y] = [counted([2, 3, 4]), counted([3, 4, 5])];

  test('is einsum without letters', () => {
    const twice = einsum('ijk,jkl->il', x, y).toArray();
    expect(tensordot(x, y).toArray()).toEqual(twice);
    expect(
      tensordot(x, y, [
        [1, 2],
        [0, 1],
      ]).toArray(),
    ).toEqual(twice);
    expect(
      tensordot(x, y, [
        [-1, -2],
        [-2, 0],
      ]).toArray(),
    ).toEqual(twice);
    expect(pipe(x, tensordot(y)).toArray()).toEqual(twice);
    expect(tensordot(x, y, [1, 0]).toArray()).toEqual(einsum('ijk,jlm->iklm', x, y).toArray());
    expect(pipe(counted([2, 3]), tensordot(y, 1)).toArray()).toEqual(
      einsum('ij,jlm->ilm', counted([2, 3]), y).toArray(),
    );
    expect(tensordot(a, c, 0).toArray()).toEqual(einsum('ij,kl->ijkl', a, c).toArray());
    expect(tensordot(a, a).item()).toBe(91);
    expect(
      tensordot(a, c, [
        [0, 1],
        [1, 0],
      ]).item(),
    ).toBe(15);
    expect(tensordot(tensor(2), a, 0).toArray()).toEqual([
      [2, 4, 6],
      [8, 10, 12],
    ]);
    expect(tensordot(zeros([2, 0]), zeros([0, 3]), 1).toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  test('dtypes, derivatives, batches', () => {
    const ones = tensor([1, 1], { dtype: 'uint32' });
    expect(tensordot(ones, tensor([true, false]), 1).dtype).toBe('uint32');
    expect(tensordot(tensor([true]), tensor([true]), 1).dtype).toBe('int32');
    expect(grad((z: Tensor) => sum(tensordot(z, y)) as Tensor<readonly []>)(x).shape).toEqual([2, 3, 4]);
    expect((vmap((z: Tensor) => tensordot(z, y))(x) as Tensor).toArray()).toEqual(tensordot(x, y).toArray());
  });

  test('refuses', () => {
    const message = (axes: unknown): string => caught(() => tensordot(x, y, axes as number)).message;
    expect(message(1)).toContain(
      'tensordot: got float32[2, 3, 4] and float32[3, 4, 5]; axis 2 of the first and axis 0',
    );
    expect(message(4)).toContain('tensordot: got the number of axes 4; it is an integer from 0 to 3');
    expect(message([[0], [3]])).toContain('tensordot: got axis 3 and the shape [3, 4, 5]');
    expect(
      message([
        [1, 1],
        [0, 0],
      ]),
    ).toContain('an axis may be named once only');
    expect(message([[1], [0, 1]])).toContain('tensordot: got [[1],[0,1]] as axes; axes is a pair of arrays');
    expect(message('1')).toContain('tensordot: got "1" as axes');
    const traced = caught(() => jit((z: Tensor, n: number) => tensordot(z, y, n))(x, 2));
    expect([traced._tag, traced.operation]).toEqual(['TraceError', 'tensordot']);
  });
});

describe('kron', () => {
  test('values', () => {
    expect(
      kron(
        tensor([
          [1, 2],
          [3, 4],
        ]),
        tensor([[0, 1]]),
      ).toArray(),
    ).toEqual([
      [0, 1, 0, 2],
      [0, 3, 0, 4],
    ]);
    expect(pipe(tensor([1, 10]), kron(tensor([1, 2]))).toArray()).toEqual([1, 2, 10, 20]);
    expect(kron(tensor([1, 2]), tensor([[1], [3]])).toArray()).toEqual([
      [1, 2],
      [3, 6],
    ]);
    expect(kron(tensor([[1], [3]]), tensor([1, 2])).toArray()).toEqual([
      [1, 2],
      [3, 6],
    ]);
    expect(kron(tensor(2), tensor(3)).item()).toBe(6);
    expect(kron(zeros([0, 2]), zeros([3])).shape).toEqual([0, 6]);
    expect(kron(tensor([true]), tensor([true])).dtype).toBe('int32');
  });

  test('of products is the product of those: (a ⊗ b)(c ⊗ d) = ac ⊗ bd', () => {
    const [p, q] = [counted([2, 3]), counted([3, 2])];
    expect(matmul(kron(a, p), kron(c, q)).toArray()).toEqual(kron(matmul(a, c), matmul(p, q)).toArray());
  });

  test('derivatives and batches', () => {
    const weights = tensor([1, 10, 100, 1000]);
    expect(grad((x: Tensor) => dot(kron(x, tensor([2, 3])), weights))(zeros([2]) as Tensor).toArray()).toEqual([
      32, 3200,
    ]);
    expect((vmap((x: Tensor) => kron(x, tensor([1, 2])))(a) as Tensor).toArray()).toEqual([
      [1, 2, 2, 4, 3, 6],
      [4, 8, 5, 10, 6, 12],
    ]);
  });
});

describe('multiDot', () => {
  test('is matmul of all, in whatever order', () => {
    const chain = [
      [2, 3],
      [3, 1],
      [1, 4],
      [4, 2],
      [2, 5],
    ].map(counted);
    const [first, ...rest] = chain as [Tensor, ...Tensor[]];
    expect(multiDot(chain).toArray()).toEqual(rest.reduce((x, y) => matmul(x, y), first).toArray());
    expect(multiDot([a]).toArray()).toEqual(a.toArray());
    const [row, column] = [tensor([1, 2]), tensor([1, 0, 1])];
    expect(multiDot([row, a]).toArray()).toEqual([9, 12, 15]);
    expect(multiDot([row, a, column]).item()).toBe(24);
    expect(multiDot([row, row]).item()).toBe(5);
    expect(multiDot([a, c, row]).toArray()).toEqual(matmul(matmul(a, c), row).toArray());
    expect(multiDot([tensor([[true]]), tensor([[true]])]).dtype).toBe('int32');
    expect(multiDot([tensor([[true]])]).dtype).toBe('int32');
  });

  test('chooses the cheapest order', () => {
    // Cormen et al., Introduction to Algorithms, 14.2: 15125 multiplications.
    const lengths = [30, 35, 15, 5, 10, 20, 25];
    const chain = lengths.slice(1).map((n, i) => zeros([lengths[i]!, n]) as Tensor);
    const { report } = explain((...xs: Tensor[]) => multiDot(xs))(...chain);
    expect(report!.steps.reduce((flops, step) => flops + step.flops, 0)).toBe(2 * 15125);
  });

  test('refuses', () => {
    const message = (xs: unknown): string => caught(() => multiDot(xs as Tensor[])).message;
    expect(message([])).toContain('multiDot: got an empty list; it multiplies a list of one or more matrices');
    expect(message(a)).toContain('multiDot: got a tensor;');
    expect(message([a, a])).toContain(
      'multiDot: got float32[2, 3] and float32[2, 3]; operand 0 has 3 columns and operand 1 has 2 rows',
    );
    expect(message([a, tensor([1, 2, 3]), c])).toContain('operand 1, float32[3], is no matrix');
    expect(message([zeros([1, 2, 3])])).toContain('operand 0, float32[1, 2, 3], is no matrix');
    expect(message([tensor([1])])).toContain('is no matrix');
    expect(message([a, 1])).toContain('multiDot: got number 1');
  });
});
