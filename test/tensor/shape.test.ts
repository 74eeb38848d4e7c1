/** Shape rules on generated shapes, against their definitions. */
import * as fc from 'fast-check';
import { add, concat, max, permute, reshape, sum, type Tensor, tensor } from 'tenfold';
import { describe, expect, it } from 'vitest';
import { broadcastShapes, normalizeAxes, sizeOf, stridesOf } from '../../src/tensor/shape.js';
import { caught } from '../helpers.js';

const lengths = fc.constantFrom(0, 1, 1, 2, 3, 5);
const shapes = fc.array(lengths, { maxLength: 4 });
const filled = (shape: readonly number[]): Tensor =>
  tensor(
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => i + 1),
    shape,
  );

/** All indices of a shape, in row-major order. */
const indices = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>(
    (list, n) => list.flatMap(index => Array.from({ length: n }, (_, i) => [...index, i])),
    [[]],
  );
const at = (x: ArrayLike<number>, shape: readonly number[], index: readonly number[]): number =>
  x[stridesOf(shape).reduce((sum, stride, axis) => sum + stride * index[axis]!, 0)]!;

/** A shape that broadcasts to `shape`: some first axes missing, some others of length 1. */
const shrink = (shape: readonly number[], drop: number, ones: number): number[] =>
  shape.slice(Math.min(drop, shape.length)).map((n, axis) => ((ones >> axis) & 1 ? 1 : n));

describe('broadcasting', () => {
  it('gives each element from the operands’ elements at the same place, missing and 1-long axes repeating', () => {
    fc.assert(
      fc.property(shapes, fc.nat(4), fc.nat(15), fc.nat(15), (shape, drop, onesA, onesB) => {
        const [p, q] = [shrink(shape, 0, onesA), shrink(shape, drop, onesB)];
        const result = add(filled(p), filled(q)) as Tensor;
        const expected = p.map((n, axis) => {
          const other = q[axis - (p.length - q.length)] ?? 1;
          return n === 1 ? other : n;
        });
        expect(result.shape).toEqual(expected);
        const [values, a, b] = [result.dataSync(), filled(p).dataSync(), filled(q).dataSync()] as Float64Array[];
        for (const index of indices(expected)) {
          const pick = (shape: readonly number[]): number[] =>
            index.slice(index.length - shape.length).map((i, axis) => (shape[axis] === 1 ? 0 : i));
          expect(at(values!, expected, index)).toBe(at(a!, p, pick(p)) + at(b!, q, pick(q)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is refused exactly when lengths differ and neither is 1', () => {
    fc.assert(
      fc.property(shapes, shapes, (p, q) => {
        const [short, long] = p.length < q.length ? [p, q] : [q, p];
        const fits = short.every((n, i) => {
          const other = long[i + long.length - short.length]!;
          return n === other || n === 1 || other === 1;
        });
        if (fits) expect(broadcastShapes('add', p, q)).toEqual(broadcastShapes('add', q, p));
        else
          expect(caught(() => add(filled(p), filled(q))).message).toContain(`[${p.join(', ')}] and [${q.join(', ')}]`);
      }),
    );
  });
});

describe('reductions and movements', () => {
  it('sum over any axes adds exactly the elements that share the other coordinates', () => {
    fc.assert(
      fc.property(shapes, fc.nat(15), fc.boolean(), (shape, mask, keepDims) => {
        const axis = shape.map((_, i) => i).filter(i => (mask >> i) & 1);
        const result = sum(filled(shape), { axis, keepDims }) as Tensor;
        const kept = shape.map((n, i) => (axis.includes(i) ? 1 : n));
        expect(result.shape).toEqual(keepDims ? kept : shape.filter((_, i) => !axis.includes(i)));
        const [values, x] = [result.dataSync(), filled(shape).dataSync()] as Float64Array[];
        const sums = new Float64Array(sizeOf(kept));
        for (const index of indices(shape)) {
          const place = index.map((i, a) => (axis.includes(a) ? 0 : i));
          sums[stridesOf(kept).reduce((s, stride, a) => s + stride * place[a]!, 0)]! += at(x!, shape, index);
        }
        expect([...values!]).toEqual([...sums]);
      }),
      { numRuns: 200 },
    );
  });

  it('permute moves coordinates, reshape keeps the order, concat puts side by side', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(1, 2, 3), { minLength: 1, maxLength: 4 }), fc.nat(), (shape, seed) => {
        const axes = shape.map((_, i) => i).sort((p, q) => ((p * 7 + seed) % 5) - ((q * 7 + seed) % 5));
        const x = filled(shape);
        const y = permute(x, axes) as Tensor;
        for (const index of indices(y.shape)) {
          const from = shape.map((_, axis) => index[axes.indexOf(axis)]!);
          expect(at(y.dataSync() as Float64Array, y.shape, index)).toBe(at(x.dataSync() as Float64Array, shape, from));
        }
        expect([...(reshape(x, [-1]).dataSync() as Float64Array)]).toEqual([...(x.dataSync() as Float64Array)]);
        const axis = seed % shape.length;
        const both = concat([x, x], { axis }) as Tensor;
        expect(both.shape[axis]).toBe(2 * shape[axis]!);
        expect((max(both) as Tensor).item()).toBe(sizeOf(shape));
      }),
    );
  });

  it('axes count from either end, once each', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constant(2), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: -7, max: 7 }),
        (shape, axis) => {
          const rank = shape.length;
          if (axis < -rank || axis >= rank)
            expect(caught(() => sum(filled(shape), { axis })).message).toMatch(/^sum: got axis/);
          else expect(normalizeAxes('sum', [axis], shape)).toEqual([(axis + rank) % rank]);
        },
      ),
    );
  });
});
