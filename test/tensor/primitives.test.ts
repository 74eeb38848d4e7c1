/** Every primitive of the table: derivatives against differences, forward against reverse, batching against a loop. */
import { describe, expect, it } from 'vitest';
import { b } from '../../src/tensor/build.js';
import { isFloat } from '../../src/tensor/dtype.js';
import { evaluate } from '../../src/tensor/evaluate.js';
import { bufferNode, type Node } from '../../src/tensor/graph.js';
import { isMissing } from '../../src/tensor/primitives/kinds.js';
import { entryOf, table } from '../../src/tensor/primitives/table.js';
import { HostStorage, type Storage } from '../../src/tensor/storage.js';
import { type Tensor, wrap } from '../../src/tensor/tensor.js';
import { jvp, vjp } from '../../src/tensor/transform/grad.js';
import { vmap } from '../../src/tensor/transform/vmap.js';
import { draw, noise, type Sample, samples } from './samples.js';

const leaves = ['buffer', 'parameter', 'mark'];

const values = (node: Node): number[] => {
  evaluate([node]);
  return [...((node.value as Storage).readSync() as Float64Array)];
};

/** The floating inputs of a sample as arguments, the others fixed; the floating results. */
const asFunction = (sample: Sample, inputs: readonly Node[]) => {
  const floats = inputs.map((node, i) => (isFloat(node.dtype) ? i : -1)).filter(i => i >= 0);
  const f = (...args: readonly Tensor[]): Tensor[] => {
    const nodes = [...inputs];
    floats.forEach((operand, i) => {
      nodes[operand] = nodeFrom(args[i]!);
    });
    return sample
      .build(nodes)
      .filter(node => isFloat(node.dtype))
      .map(node => wrap(node));
  };
  return { f, args: floats.map(i => wrap(inputs[i]!) as Tensor) };
};
const nodeFrom = (x: Tensor): Node => (x.constructor as unknown as { nodeOf(x: Tensor): Node }).nodeOf(x);

const weights = (like: readonly Tensor[], seed: number): Tensor[] =>
  like.map((x, i) => {
    const u = noise(seed + i);
    const array = x.dtype === 'float32' ? new Float32Array(x.dataSync().length) : new Float64Array(x.dataSync().length);
    for (let j = 0; j < array.length; j++) array[j] = u(j) * 2 - 1;
    return wrap(bufferNode(x.shape, new HostStorage(x.dtype, array)));
  });
const inner = (xs: readonly Tensor[], ys: readonly Tensor[]): number =>
  xs.reduce(
    (sum, x, i) =>
      sum + [...(x.dataSync() as Float64Array)].reduce((s, v, j) => s + v * (ys[i]!.dataSync()[j] as number), 0),
    0,
  );
const moved = (x: Tensor, t: Tensor, by: number): Tensor => {
  const values = x.dataSync().slice() as Float64Array;
  const direction = t.dataSync() as Float64Array;
  for (let i = 0; i < values.length; i++) values[i] = values[i]! + by * direction[i]!;
  return wrap(bufferNode(x.shape, new HostStorage(x.dtype, values)));
};

const differentiable = (name: string): boolean => {
  const entry = entryOf(name);
  return !(
    (entry.kind === 'elementwise' && isMissing(entry.partials)) ||
    (entry.kind === 'reduction' && typeof entry.weights === 'object') ||
    entry.kind === 'source'
  );
};

it('has samples for every primitive', () => {
  expect([...Object.keys(samples), ...leaves].sort()).toEqual(Object.keys(table).sort());
});

for (const [name, list] of Object.entries(samples)) {
  describe(name, () => {
    list.forEach((sample, number) => {
      const inputs = draw(sample);
      const results = sample.build(inputs);
      const { f, args } = asFunction(sample, inputs);
      const smooth = differentiable(name) && args.length > 0 && results.some(node => isFloat(node.dtype));
      const hasVjp = name !== 'while';
      const tolerance = args.some(x => x.dtype === 'float32') ? 2e-3 : 1e-6;

      it(`sample ${number}: gives the shape and dtype its rule says`, () => {
        evaluate(results);
        for (const node of results) {
          expect((node.value as Storage).dtype).toBe(node.dtype);
          expect((node.value as Storage).size).toBe(node.shape.reduce((p, n) => p * n, 1));
        }
      });

      if (smooth) {
        it(`sample ${number}: jvp agrees with central differences`, () => {
          const direction = weights(args, 3);
          const [, tangents] = jvp(f, args, direction);
          const cts = weights(tangents, 7);
          const step = tolerance > 1e-4 ? 1e-2 : 1e-6;
          const plus = f(...args.map((x, i) => moved(x, direction[i]!, step)));
          const minus = f(...args.map((x, i) => moved(x, direction[i]!, -step)));
          const difference = (inner(plus, cts) - inner(minus, cts)) / (2 * step);
          const derivative = name === 'stopGradient' ? difference : inner(tangents, cts);
          expect(Math.abs(derivative - difference)).toBeLessThan(tolerance * (1 + Math.abs(difference)));
          if (name === 'stopGradient') expect(inner(tangents, tangents)).toBe(0);
        });
      }
      if (smooth && hasVjp) {
        it(`sample ${number}: vjp is the transpose of jvp`, () => {
          const direction = weights(args, 4);
          const [, tangents] = jvp(f, args, direction);
          const [out, pullback] = vjp(f, ...args);
          const cts = weights(out, 9);
          const back = pullback(cts);
          const forward = inner(tangents, cts);
          expect(Math.abs(inner(back, direction) - forward)).toBeLessThan(1e-6 * (1 + Math.abs(forward)));
        });

        it(`sample ${number}: second derivatives agree with differences of first ones`, () => {
          const direction = weights(args, 5);
          const cts = weights(f(...args), 11);
          const first = (...at: readonly Tensor[]): Tensor[] => [...vjp(f, ...at)[1](cts)];
          const [, second] = jvp(first, args, direction);
          const probe = weights(second, 13);
          const step = tolerance > 1e-4 ? 1e-2 : 1e-5;
          const at = (sign: number) => inner(first(...args.map((x, i) => moved(x, direction[i]!, sign * step))), probe);
          const difference = (at(1) - at(-1)) / (2 * step);
          expect(Math.abs(inner(second, probe) - difference)).toBeLessThan(
            Math.max(tolerance, 1e-5) * (1 + Math.abs(difference)),
          );
        });
      }
      if (sample.inputs.length > 0) {
        it(`sample ${number}: vmap agrees with a loop, whichever inputs are batched`, () => {
          const rows = [0, 1, 2].map(row => draw({ ...sample, values: { ...sample.values } }, row));
          for (let mask = 1; mask < 2 ** sample.inputs.length; mask++) {
            const batched = sample.inputs.map((_, i) => (mask & (1 << i)) !== 0);
            const stacked = inputs.map((node, i) =>
              batched[i]
                ? b.concat(
                    rows.map(row => b.reshape(row[i]!, { shape: [1, ...node.shape] })),
                    { axis: 0 },
                  )
                : node,
            );
            const over = vmap((...xs: readonly Tensor[]) => sample.build(xs.map(nodeFrom)).map(node => wrap(node)), {
              in: batched.map(yes => (yes ? 0 : null)),
            })(...stacked.map(node => wrap(node) as Tensor));
            rows.forEach((row, r) => {
              const expected = sample.build(inputs.map((node, i) => (batched[i] ? row[i]! : node)));
              expected.forEach((node, o) => {
                const size = values(node).length;
                const got = [...(over[o]!.dataSync() as Float64Array)].slice(r * size, (r + 1) * size);
                got.forEach((value, i) => {
                  expect(value).toBeCloseTo(values(node)[i]!, 10);
                });
              });
            });
          }
        });
      }
    });
  });
}
