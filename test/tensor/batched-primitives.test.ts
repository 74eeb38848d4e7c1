/** Every primitive of the table over batches, on every backend, against a loop over the examples; its derivatives as well. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/tensor/backend/backend.js';
import { referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { b } from '../../src/tensor/build.js';
import { isFloat } from '../../src/tensor/dtype.js';
import type { Node } from '../../src/tensor/graph.js';
import { range } from '../../src/tensor/shape.js';
import { nodeOf, type Tensor, wrap } from '../../src/tensor/tensor.js';
import { jvp, vjp } from '../../src/tensor/transform/grad.js';
import { vmap } from '../../src/tensor/transform/vmap.js';
import { drawLike, lacking, numbersOn, type OfTensors, type Tensors } from './calculus.js';
import { draw, type Sample, samples } from './samples.js';

const backends: readonly Backend[] = [wasmBackend, referenceBackend];
const size = 3;

const stack = (rows: Tensors): Tensor => {
  const nodes = rows.map(row => b.reshape(nodeOf(row), { shape: [1, ...row.shape] }));
  return wrap(b.concat(nodes, { axis: 0 })) as Tensor;
};

/** A sample, some of whose inputs differ between examples. */
const batchOf = (sample: Sample, batched: readonly boolean[]) => {
  const examples = range(size).map(r => draw(sample, r));
  const rows = examples.map(row => row.map((node, i) => wrap(batched[i] ? node : examples[0]![i]!) as Tensor));
  const stacked = batched.map((yes, i) => (yes ? stack(rows.map(row => row[i]!)) : rows[0]![i]!));
  const f: OfTensors = (...xs) => sample.build(xs.map(nodeOf)).map(node => wrap(node) as Tensor);
  const axes = batched.map(yes => (yes ? 0 : null));
  return { f, rows, stacked, over: vmap(f, { in: axes }) as OfTensors, axes };
};

/** All ways to batch some of so many inputs. */
const masks = (count: number): readonly (readonly boolean[])[] =>
  range(2 ** count)
    .slice(1)
    .map(mask => range(count).map(i => (mask & (1 << i)) !== 0));

describe.each(backends)('$name', backend => {
  const numbers = (x: Tensor): readonly number[] => numbersOn(backend, x);
  const near = (got: readonly number[], wanted: readonly number[], tolerance: number): void => {
    expect(got.length).toBe(wanted.length);
    got.forEach((value, i) => {
      const off = Math.abs(value - wanted[i]!);
      expect(off <= tolerance * (1 + Math.abs(wanted[i]!)), `${value} for ${wanted[i]} at ${i}`).toBe(true);
    });
  };
  const sums = (rows: Tensors): readonly number[] =>
    rows.map(numbers).reduce((total, row) => total.map((value, i) => value + row[i]!));

  for (const [name, list] of Object.entries(samples)) {
    if (list.every(({ inputs }) => inputs.length === 0)) continue;
    describe(name, () => {
      list.forEach((sample: Sample, number) => {
        const single = sample.inputs.some(({ dtype }) => dtype === 'float32');
        const tolerance = single ? 1e-5 : 1e-11;
        const floats = range(sample.inputs.length).filter(i => isFloat(sample.inputs[i]!.dtype));
        const outputs = sample.build(draw(sample));
        const floatOutputs = range(outputs.length).filter(i => isFloat(outputs[i]!.dtype));
        const smooth = floats.length > 0 && floatOutputs.length > 0;

        if (sample.inputs.length > 0) {
          it(`sample ${number}: whichever inputs are batched`, () => {
            for (const batched of masks(sample.inputs.length)) {
              const { f, rows, stacked, over } = batchOf(sample, batched);
              const results = over(...stacked);
              const wanted = rows.map(row => f(...row));
              results.forEach((result, o) => {
                near(
                  numbers(result),
                  wanted.flatMap(each => numbers(each[o]!)),
                  tolerance,
                );
              });
            }
          });
        }

        /** The floating results as a function of the floating inputs. */
        const ofFloats =
          (f: OfTensors, all: Tensors): OfTensors =>
          (...xs) => {
            const results = f(...all.map((x, i) => (floats.includes(i) ? xs[floats.indexOf(i)]! : x)));
            return floatOutputs.map(o => results[o]!);
          };
        const pick = <T>(xs: readonly T[]): readonly T[] => floats.map(i => xs[i]!);
        const nodes = (xs: Tensors): readonly Node[] => xs.map(nodeOf);

        if (smooth && lacking(name, sample, 'jvp') === null) {
          it(`sample ${number}: jvp of vmap and vmap of jvp, whichever inputs are batched`, () => {
            for (const batched of masks(sample.inputs.length)) {
              const { f, rows, stacked, over, axes } = batchOf(sample, batched);
              const own = rows.map((row, r) => drawLike(row, 40 + 10 * r));
              const directions = own.map(row => pick(row.map((t, i) => (batched[i] ? t : own[0]![i]!))));
              const all = floats.map((i, j) => (batched[i] ? stack(directions.map(row => row[j]!)) : own[0]![i]!));
              const wanted = rows.map((row, r) => jvp(ofFloats(f, row), pick(row), directions[r]!)[1]);
              const [, first] = jvp(ofFloats(over, stacked), pick(stacked), all);
              const inside: OfTensors = (...xs) => {
                const own = xs.slice(0, stacked.length);
                return jvp(ofFloats(f, own), pick(own), xs.slice(stacked.length))[1];
              };
              const second = vmap(inside, { in: [...axes, ...pick(axes)] })(...stacked, ...all);
              wanted[0]!.forEach((_, o) => {
                const each = wanted.flatMap(row => numbers(row[o]!));
                near(numbers(first[o]!), each, tolerance);
                near(numbers(second[o] as Tensor), each, tolerance);
              });
            }
          });
        }

        if (smooth && lacking(name, sample, 'vjp') === null) {
          it(`sample ${number}: vjp of vmap and vmap of vjp, whichever inputs are batched`, () => {
            for (const batched of masks(sample.inputs.length)) {
              const { f, rows, stacked, over, axes } = batchOf(sample, batched);
              const weights = rows.map((row, r) => drawLike(ofFloats(f, row)(...pick(row)), 60 + 10 * r));
              const all = floatOutputs.map((_, o) => stack(weights.map(row => row[o]!)));
              const back = (g: OfTensors, at: Tensors, cts: Tensors): Tensors =>
                vjp(ofFloats(g, at), ...pick(at))[1](cts) as Tensors;
              const wanted = rows.map((row, r) => back(f, row, weights[r]!));
              const first = back(over, stacked, all);
              const inside: OfTensors = (...xs) => back(f, xs.slice(0, stacked.length), xs.slice(stacked.length));
              const second = vmap(inside, { in: [...axes, ...all.map(() => 0)] })(...stacked, ...all);
              floats.forEach((i, j) => {
                const parts = wanted.map(row => row[j]!);
                const each = parts.flatMap(numbers);
                // What the examples share gets the sum over them.
                near(numbers(first[j]!), batched[i] ? each : sums(parts), tolerance);
                near(numbers(second[j] as Tensor), each, tolerance);
                expect(nodes([first[j]!])[0]!.shape).toEqual(stacked[i]!.shape);
              });
            }
          });
        }
      });
    });
  }
});
