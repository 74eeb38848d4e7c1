/**
 * Every primitive of the table, on every backend: derivatives against differences, forward against reverse, to second order;
 * a compiled program against plain evaluation, to the last bit. (Batching is in `batched-primitives.test.ts`.)
 */
import { MissingRuleError } from 'tenfold';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/tensor/backend/backend.js';
import { referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { b } from '../../src/tensor/build.js';
import { isFloat } from '../../src/tensor/dtype.js';
import { evaluate, prepare } from '../../src/tensor/evaluate.js';
import { type Node, resolve } from '../../src/tensor/graph.js';
import { full } from '../../src/tensor/primitives/full.js';
import { table } from '../../src/tensor/primitives/table.js';
import { sizeOf } from '../../src/tensor/shape.js';
import type { Storage } from '../../src/tensor/storage.js';
import { nodeOf, type Tensor, wrap } from '../../src/tensor/tensor.js';
import { jvp, vjp } from '../../src/tensor/transform/grad.js';
import { jit } from '../../src/tensor/transform/jit.js';
import { trace } from '../../src/tensor/transform/trace.js';
import { caught } from '../helpers.js';
import {
  asFunction,
  drawLike,
  hasNoTangent,
  lacking,
  type Mode,
  numbersOn,
  type OfTensors,
  stored,
  type Tensors,
} from './calculus.js';
import { draw, type Sample, samples } from './samples.js';

const leaves = ['buffer', 'parameter', 'mark'];
const backends: readonly Backend[] = [wasmBackend, referenceBackend];

const bytes = (values: readonly Storage[]): string =>
  values
    .map(value => value.readSync())
    .map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength).toString('hex'))
    .join(' ');

it('has samples for every primitive', () => {
  expect([...Object.keys(samples), ...leaves].sort()).toEqual(Object.keys(table).sort());
});

describe.each(backends)('$name', backend => {
  const numbers = (x: Tensor): readonly number[] => numbersOn(backend, x);
  const inner = (xs: Tensors, ys: Tensors): number =>
    xs.reduce((sum, x, i) => {
      const other = numbers(ys[i]!);
      return numbers(x).reduce((s, v, j) => s + v * other[j]!, sum);
    }, 0);
  const moved = (args: Tensors, direction: Tensors, by: number): Tensors =>
    args.map((x, i) => {
      const [values, steps] = [numbers(x), numbers(direction[i]!)];
      return stored(x, j => values[j]! + by * steps[j]!);
    });
  /** The directional derivative of ⟨weights, f⟩ by central differences. */
  const difference = (f: OfTensors, args: Tensors, direction: Tensors, weights: Tensors, step: number): number => {
    const at = (by: number): number => inner(f(...moved(args, direction, by)), weights);
    return (at(step) - at(-step)) / (2 * step);
  };
  /** The same by a derivative. */
  const derivative = (mode: Mode, f: OfTensors, args: Tensors, direction: Tensors, weights: Tensors): number =>
    mode === 'jvp'
      ? inner(jvp(f, args, direction)[1], weights)
      : inner(vjp(f, ...args)[1](weights) as Tensors, direction);

  for (const [name, list] of Object.entries(samples)) {
    describe(name, () => {
      list.forEach((sample: Sample, number) => {
        const inputs = draw(sample);
        const { f, args } = asFunction(sample, inputs);
        const single = args.some(x => x.dtype === 'float32');
        const [tolerance, step] = single ? [2e-3, 1e-2] : [2e-6, 1e-5];
        const near = (value: number, wanted: number, within = tolerance): void => {
          expect(Math.abs(value - wanted)).toBeLessThan(within * (1 + Math.abs(wanted)));
        };
        const smooth = args.length > 0 && f(...args).length > 0;
        /** What differences say. Where the derivative is cut off on purpose, they do not matter. */
        const wanted = (g: OfTensors, at: Tensors, direction: Tensors, weights: Tensors): number =>
          name === 'stopGradient' ? 0 : difference(g, at, direction, weights, step);

        it(`sample ${number}: gives the shape and dtype its rule says`, () => {
          const results = sample.build(inputs);
          evaluate(results, backend);
          for (const node of results) {
            expect((node.value as Storage).dtype).toBe(node.dtype);
            expect((node.value as Storage).size).toBe(sizeOf(node.shape));
          }
        });

        it(`sample ${number}: compiled ahead, gives the same bits`, () => {
          const results = sample.build(inputs);
          evaluate(results, backend);
          const plain = bytes(results.map(node => node.value as Storage));
          const { graph, captures } = trace('test', inputs, sample.build);
          evaluate(captures, backend);
          const given = [...captures, ...inputs].map(node => resolve(node).value as Storage);
          expect(bytes(prepare(graph, backend).run(given))).toBe(plain);
          if (backend !== wasmBackend) return;
          const jitted = jit((...xs: Tensors) => sample.build(xs.map(nodeOf)).map(node => wrap(node) as Tensor));
          const again = jitted(...inputs.map(node => wrap(node) as Tensor)).map(nodeOf);
          expect(bytes(again.map(node => resolve(node).value as Storage))).toBe(plain);
        });

        if (args.length > 0 && (hasNoTangent(name) || !smooth)) {
          it(`sample ${number}: lets no derivative pass`, () => {
            const all = (...xs: Tensors): Tensors =>
              sample
                .build(
                  inputs.map(node =>
                    isFloat(node.dtype) ? nodeOf(xs[args.findIndex(x => nodeOf(x) === node)]!) : node,
                  ),
                )
                .map(node => wrap(b.cast(node, { dtype: 'float64' })) as Tensor);
            const [out, tangents] = jvp(all, args, drawLike(args, 1));
            expect(inner(tangents, tangents)).toBe(0);
            const back = vjp(all, ...args)[1](drawLike(out, 2)) as Tensors;
            expect(inner(back, back)).toBe(0);
          });
        }

        for (const mode of smooth ? (['jvp', 'vjp'] as const) : []) {
          const reason = lacking(name, sample, mode);
          if (reason !== null) {
            it(`sample ${number}: has no ${mode}, and says why`, () => {
              const error = caught(() => derivative(mode, f, args, drawLike(args, 1), drawLike(f(...args), 2)));
              expect(error).toBeInstanceOf(MissingRuleError);
              expect(error.message).toContain(name);
              expect(error.message).toContain(reason);
            });
            continue;
          }

          it(`sample ${number}: ${mode} agrees with central differences`, () => {
            for (const seed of [0, 1, 2]) {
              const at = asFunction(sample, draw(sample, seed));
              const [direction, weights] = [drawLike(args, 3 + seed), drawLike(f(...args), 7 + seed)];
              const value = derivative(mode, at.f, at.args, direction, weights);
              near(value, wanted(at.f, at.args, direction, weights));
            }
          });

          it(`sample ${number}: ${mode} with respect to one argument is that part of the whole`, () => {
            const [direction, weights] = [drawLike(args, 21), drawLike(f(...args), 23)];
            const parts = args.map((x, i) => {
              const one: OfTensors = y => f(...args.map((other, j) => (i === j ? y! : other)));
              return derivative(mode, one, [x], [direction[i]!], weights);
            });
            const sum = parts.reduce((total, part) => total + part, 0);
            near(sum, derivative(mode, f, args, direction, weights), single ? 1e-5 : 1e-12);
          });

          for (const second of ['jvp', 'vjp'] as const) {
            it(`sample ${number}: ${second} of ${mode} agrees with differences of ${mode}`, () => {
              const [direction, weights] = [drawLike(args, 5), drawLike(f(...args), 11)];
              const first: OfTensors = (...at) =>
                mode === 'jvp' ? jvp(f, at, direction)[1] : (vjp(f, ...at)[1](weights) as Tensors);
              const [along, probe] = [drawLike(args, 17), drawLike(first(...args), 13)];
              const expected = wanted(first, args, along, probe);
              const reason = lacking(name, sample, second);
              try {
                near(derivative(second, first, args, along, probe), expected, single ? 5e-3 : 1e-5);
              } catch (error) {
                if (!(reason !== null && error instanceof MissingRuleError && error.message.includes(reason)))
                  throw error;
              }
            });
          }
        }

        if (smooth && lacking(name, sample, 'jvp') === null && lacking(name, sample, 'vjp') === null) {
          it(`sample ${number}: vjp is the transpose of jvp`, () => {
            for (const seed of [0, 1, 2]) {
              const at = asFunction(sample, draw(sample, seed));
              const [direction, weights] = [drawLike(args, 4 + seed), drawLike(f(...args), 9 + seed)];
              const there = derivative('jvp', at.f, at.args, direction, weights);
              near(derivative('vjp', at.f, at.args, direction, weights), there, single ? 1e-5 : 1e-12);
            }
          });
        }
      });
    });
  }

  describe('at kinks, ties, poles and far out', () => {
    const [nan, half] = [Number.NaN, 0.5];
    type Kink = readonly [name: string, f: (x: Node) => Node, at: readonly number[], gradient: readonly number[]];
    const number = (value: number, like: Node): Node => full(b, like, value);
    const indices = (...at: number[]): Node => nodeOf(stored({ shape: [at.length], dtype: 'int32' }, i => at[i]!));
    const kinks: readonly Kink[] = [
      ['abs', x => b.abs(x), [-2, 0, 3], [-1, 0, 1]],
      ['sign', x => b.sign(x), [-2, 0, 3], [0, 0, 0]],
      ['floor', x => b.floor(x), [-1, 0.5, 2], [0, 0, 0]],
      ['max of equal operands', x => b.max(x, number(1, x)), [0, 1, 2], [0, half, 1]],
      ['min of equal operands', x => b.min(x, number(1, x)), [0, 1, 2], [1, half, 0]],
      ['max of x and x', x => b.max(x, x), [-1, 4], [1, 1]],
      ['reduceMax, equal elements', x => b.reduceMax(x, { axes: [0] }), [3, 1, 3, 3], [1 / 3, 0, 1 / 3, 1 / 3]],
      ['reduceMin, equal elements', x => b.reduceMin(x, { axes: [0] }), [1, 1, 2], [half, half, 0]],
      ['sqrt', x => b.sqrt(x), [0, 4], [Infinity, 0.25]],
      ['x to a whole power', x => b.pow(x, number(3, x)), [-2, 0, 2], [12, 0, 12]],
      ['x to the first', x => b.pow(x, number(1, x)), [-2, 0, 2], [1, 1, 1]],
      ['x to the zeroth', x => b.pow(x, number(0, x)), [-2, 0, 2], [0, 0, 0]],
      ['zero to the x', x => b.pow(number(0, x), x), [1, 2.5], [0, 0]],
      ['of a negative number to the x', x => b.pow(number(-2, x), x), [2], [nan]],
      ['rem by a number', x => b.rem(x, number(2, x)), [5.5, -5.5], [1, 1]],
      ['rem of a number', x => b.rem(number(7.5, x), x), [2, -2, 10], [-3, 3, 0]],
      ['tanh', x => b.tanh(x), [-700, 0, 700], [0, 1, 0]],
      ['sigmoid', x => b.sigmoid(x), [-900, 0, 900], [0, 0.25, 0]],
      ['erf', x => b.erf(x), [-40, 40], [0, 0]],
      ['exp', x => b.exp(x), [-800, 0], [0, 1]],
      ['erfc', x => b.erfc(x), [-40, 40, Infinity], [0, 0, 0]],
      ['erfinv', x => b.erfinv(x), [-1, 1], [Infinity, Infinity]],
      ['asin', x => b.asin(x), [-1, 0, 1], [Infinity, 1, Infinity]],
      ['acos', x => b.acos(x), [-1, 0, 1], [-Infinity, -1, -Infinity]],
      ['atan', x => b.atan(x), [-Infinity, 0, 1e200], [0, 1, 0]],
      ['asinh', x => b.asinh(x), [-Infinity, 0, 1e200], [0, 1, 0]],
      ['acosh', x => b.acosh(x), [1, 1e200, Infinity, -2], [Infinity, 0, 0, nan]],
      ['atanh', x => b.atanh(x), [-1, 0, 1], [Infinity, 1, Infinity]],
      ['atan2, the first', y => b.atan2(y, number(0, y)), [-2, 0, 4], [0, 0, 0]],
      ['atan2, the second', x => b.atan2(number(0.5, x), x), [-Infinity, 0, 1e-200], [0, -2, -2]],
      ['atan2 at the origin', x => b.atan2(x, x), [0, 2, Infinity], [0, 0, 0]],
      ['hypot with 0', x => b.hypot(x, number(0, x)), [-2, 0, 1e-200, 1e200], [-1, 0, 1, 1]],
      ['hypot at infinity', x => b.hypot(number(3, x), x), [-Infinity, Infinity], [-1, 1]],
      ['hypot beside infinity', x => b.hypot(number(Infinity, x), x), [3], [0]],
      ['logaddexp of x and x', x => b.logaddexp(x, x), [-Infinity, 0, 1e3, Infinity], [1, 1, 1, 1]],
      ['logaddexp beside -∞', x => b.logaddexp(number(-Infinity, x), x), [-Infinity, 0, 1], [half, 1, 1]],
      ['logaddexp beside ∞', x => b.logaddexp(x, number(Infinity, x)), [-Infinity, 0, Infinity], [0, 0, half]],
      ['the other side of select', x => b.select(b.gt(x, number(0, x)), x, number(7, x)), [-1, 2], [0, 1]],
      ['gather outside', x => b.gather(x, indices(1, 9, -1), { axis: 0 }), [5, 6], [0, 1]],
      ['gather twice', x => b.gather(x, indices(1, 1), { axis: 0 }), [5, 6], [0, 2]],
      ['scatterAdd outside', x => b.scatterAdd(x, indices(1, 9, 1), { axis: 0, length: 2 }), [5, 6, 7], [1, 0, 1]],
    ];
    it.each(kinks)('%s', (_, f, at, gradient) => {
      const x = stored({ shape: [at.length], dtype: 'float64' }, i => at[i]!);
      const [y, pullback] = vjp(each => wrap(f(nodeOf(each))) as Tensor, x);
      const ones = stored(y, () => 1);
      numbers(pullback(ones)[0]).forEach((value, i) => {
        if (Number.isFinite(gradient[i]!)) expect(value).toBeCloseTo(gradient[i]!, 14);
        else expect(value).toBe(gradient[i]);
      });
    });

    it('the second derivative of a square at 0', () => {
      const first = (x: Tensor): Tensor =>
        vjp(each => wrap(b.pow(nodeOf(each), number(2, nodeOf(each)))) as Tensor, x)[1](stored(x, () => 1))[0];
      const at = stored({ shape: [3], dtype: 'float64' }, i => i - 1);
      expect(numbers(jvp(first, [at], [stored(at, () => 1)])[1])).toEqual([2, 2, 2]);
    });
  });
});
