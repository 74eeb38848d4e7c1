/** What simplifying and fusing make of programs: which kernels there are, over what, and that they can be run in their order. */
import * as fc from 'fast-check';
import {
  add,
  exp,
  flip,
  logSoftmax,
  logsumexp,
  matmul,
  max,
  mean,
  mul,
  neg,
  permute,
  reshape,
  rsqrt,
  silu,
  slice,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  transpose,
  variance,
  where,
} from 'tenfold';
import { layerNorm } from 'tenfold/nn';
import { adam, applyUpdates } from 'tenfold/optim';
import { bernoulli, key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { readsDotView } from '../../src/tensor/backend/wasm/contraction/dot.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { b } from '../../src/tensor/build.js';
import { type Fused, fuse, type Target, type Unit } from '../../src/tensor/compile/fuse.js';
import type { Kernel } from '../../src/tensor/compile/kernel.js';
import { type Program, programOfPending } from '../../src/tensor/compile/program.js';
import { simplify } from '../../src/tensor/compile/simplify.js';
import { bufferNode, DynamicNumber, type Node } from '../../src/tensor/graph.js';
import { sizeOf } from '../../src/tensor/shape.js';
import { HostStorage } from '../../src/tensor/storage.js';
import { nodeOf, wrap } from '../../src/tensor/tensor.js';
import { compare, type GeneratedGraph, graphs, randomArray, randomOf } from './differential.js';
import { rowGraphs } from './row-graphs.js';

const target: Target = {
  readsView: (instruction, _, view) => readsDotView(instruction, view),
};

const programOf = (roots: readonly Tensor[]): Program => programOfPending(roots.map(nodeOf)).program;

/** The units of the program of some tensors, which also has to compute what it means. */
const unitsOf = (...roots: readonly Tensor[]): readonly Unit[] => {
  const { units } = fuse(simplify(programOf(roots)), target);
  compare(roots.map(nodeOf), wasmBackend);
  return units;
};

/** `32 64*: sum! tanh → 2`: lengths with reduced ones starred, operations, stores. */
const shown = ({ space, values, stores }: Kernel): string => {
  const lengths = space.map(({ length, reduced }) => `${length}${reduced ? '*' : ''}`);
  const made = values.flatMap(value =>
    value.kind === 'operation' ? [value.op] : value.kind === 'reduce' ? [`${value.op}!`] : [],
  );
  return `${lengths.join(' ')}: ${made.join(' ')} → ${stores.length}`;
};
const showUnit = (unit: Unit): string => (unit.kind === 'single' ? unit.instruction.op : shown(unit.kernel));
const shownUnits = (...roots: readonly Tensor[]): readonly string[] => unitsOf(...roots).map(showUnit);

const leaf = (...shape: readonly number[]): Tensor =>
  wrap(bufferNode(shape, new HostStorage('float32', randomArray(randomOf(shape.length), 'float32', sizeOf(shape), 0))));

const x = leaf(32, 64);

describe('rows with reductions are one kernel', () => {
  it('softmax, its logarithm, log-sum-exp', () => {
    expect(shownUnits(softmax(x) as Tensor)).toEqual(['32 64*: reduceMax! sub exp sum! div → 1']);
    expect(shownUnits(logSoftmax(x) as Tensor)).toEqual(['32 64*: reduceMax! sub exp sum! log sub → 1']);
    expect(shownUnits(logsumexp(x, { axis: 1 }) as Tensor)).toHaveLength(1);
  });

  it('layer norm, scaled and shifted', () => {
    const params = { weight: leaf(64), bias: leaf(64) };
    const [kernel, ...others] = shownUnits(layerNorm(64).apply(params, x));
    expect(others).toEqual([]);
    expect(kernel).toMatch(/^32 64\*: sum! div sub mul sum! .*mul add → 1$/);
  });

  it('group norm, scaled and shifted by channels, then silu: two at most', () => {
    const groupNorm = (images: Tensor, groups: number, weight: Tensor, bias: Tensor): Tensor => {
      const [n, c, ...places] = images.shape as [number, number, ...number[]];
      const grouped = reshape(images, [n, groups, (c / groups) * sizeOf(places)]) as Tensor;
      const centred = sub(grouped, mean(grouped, { axis: -1, keepDims: true }));
      const scaled = mul(centred, rsqrt(add(variance(grouped, { axis: -1, keepDims: true }), 1e-5)));
      const perChannel = (each: Tensor): Tensor => reshape(each, [c, 1, 1]) as Tensor;
      return add(mul(reshape(scaled, images.shape), perChannel(weight)), perChannel(bias)) as Tensor;
    };
    expect(unitsOf(silu(groupNorm(leaf(4, 32, 6, 6), 8, leaf(32), leaf(32))) as Tensor).length).toBeLessThanOrEqual(2);
  });

  it('an outer axis is not walked through again, so softmax along one takes three', () => {
    expect(shownUnits(softmax(x, { axis: 0 }) as Tensor)).toEqual([
      '32* 64: reduceMax! → 1',
      '32* 64: sub exp sum! → 2',
      '32 64: div → 1',
    ]);
  });

  it('rows too long for the cache are not walked through twice', () => {
    const kernels = (length: number): number =>
      fuse(simplify(programOf([softmax(leaf(2, length)) as Tensor])), target).units.length;
    expect([kernels(2 ** 16), kernels(2 ** 16 + 1)]).toEqual([1, 3]);
  });
});

describe('producers join their consumers', () => {
  it('Adam: a parameter and both its moments are one kernel', () => {
    const optimizer = adam(1e-3);
    const [params, gradient] = [leaf(64, 32), leaf(64, 32)];
    const [updates, [moments, { count }]] = optimizer.update(gradient, optimizer.init(params), params);
    const next = [applyUpdates(params, updates), moments.firstMoment as Tensor, moments.secondMoment as Tensor];
    const units = unitsOf(...next, moments.count, count);
    const kernels = units.flatMap(unit => (unit.kind === 'kernel' ? [unit.kernel] : []));
    expect(kernels).toHaveLength(units.length);
    const large = kernels.filter(({ space }) => space.reduce((size, { length }) => size * length, 1) > 1);
    expect(large).toHaveLength(1);
    expect(large[0]!.stores).toHaveLength(3);
  });

  it('random bits are made where they are used', () => {
    const random = key(3);
    random.dataSync();
    const dropped = mul(x, where(bernoulli(random, 0.5, [32, 64]), 2, 0)) as Tensor;
    expect(shownUnits(dropped)).toEqual([expect.stringMatching(/^32 64: threefry2x32 .*lt select mul → 1$/)]);
    expect(unitsOf(add(x, normal(random, [32, 64])) as Tensor)).toHaveLength(1);
  });

  it('the gradient of a bias is summed where the gradient is made', () => {
    const gradient = mul(x, sub(1, square(tanh(leaf(32, 64))))) as Tensor;
    expect(shownUnits(gradient, sum(gradient, { axis: 0 }) as Tensor)).toEqual(['32* 64: tanh mul sub mul sum! → 2']);
  });

  it('reductions of one thing over the same axes share a kernel, over others they do not', () => {
    const over = (axis: number) => shownUnits(sum(x, { axis }) as Tensor, max(x, { axis }) as Tensor);
    expect(over(1)).toEqual([expect.stringMatching(/^32 64\*: (sum! reduceMax!|reduceMax! sum!) → 2$/)]);
    expect(over(0)).toEqual([expect.stringMatching(/^32\* 64: (sum! reduceMax!|reduceMax! sum!) → 2$/)]);
    expect(unitsOf(sum(x, { axis: 0 }) as Tensor, sum(x, { axis: 1 }) as Tensor)).toHaveLength(2);
  });

  it('what two kernels read is stored once, what one reads is not', () => {
    const y = exp(x) as Tensor;
    const [w, v] = [leaf(64, 3), leaf(64, 5)];
    expect(shownUnits(matmul(neg(y) as Tensor, w as never) as Tensor, matmul(y, v as never) as Tensor)).toEqual([
      '32 64: exp neg → 2',
      'dotGeneral',
      'dotGeneral',
    ]);
    const alone = neg(exp(x)) as Tensor;
    expect(shownUnits(matmul(alone, w as never) as Tensor)).toEqual(['32 64: exp neg → 1', 'dotGeneral']);
  });
});

describe('movement disappears', () => {
  it('a product reads its operand transposed, sliced and flipped where it is', () => {
    const w = leaf(16, 64);
    const cut = slice(leaf(80, 70), [3, 6], [67, 22]) as Tensor;
    expect(shownUnits(matmul(x, transpose(w) as never) as Tensor)).toEqual(['dotGeneral']);
    expect(shownUnits(matmul(transpose(x) as Tensor, leaf(32, 8) as never) as Tensor)).toEqual(['dotGeneral']);
    expect(shownUnits(matmul(x, cut as never) as Tensor)).toEqual(['dotGeneral']);
    expect(shownUnits(matmul(flip(x, 0) as Tensor, transpose(w) as never) as Tensor)).toEqual(['dotGeneral']);
  });

  it('any number of movements are one load', () => {
    const turned = flip(permute(reshape(x, [4, 8, 64]), [2, 0, 1]), 1) as Tensor;
    expect(shownUnits(add(turned, 1.5) as Tensor)).toEqual(['64 4 8: add → 1']);
    expect(shownUnits(sum(permute(leaf(4, 5, 6), [2, 0, 1]), { axis: 0 }) as Tensor)).toHaveLength(1);
  });

  it('what no view can say is copied, once for all that read it', () => {
    const turned = reshape(transpose(x) as Tensor, [32, 64]) as Tensor;
    expect(shownUnits(neg(turned) as Tensor)).toEqual([expect.stringMatching(/: copy neg → 1$/)]);
    const copies = shownUnits(
      turned,
      matmul(turned, leaf(64, 2) as never) as Tensor,
      sum(turned, { axis: 1 }) as Tensor,
    );
    expect(copies.join().match(/copy/g)).toHaveLength(1);
    // Two shapes of one transposed value: one copy, of which both are views.
    const [p, q] = [transpose(x) as Tensor, leaf(16, 2)];
    const two = [sum(reshape(p, [32, 64]), { axis: 1 }), matmul(reshape(p, [128, 16]) as Tensor, q as never)];
    expect(
      shownUnits(...(two as Tensor[]))
        .join()
        .match(/copy/g),
    ).toHaveLength(1);
  });

  it('an output that is an input is neither computed nor copied', () => {
    const { units, outputs } = fuse(simplify(programOf([reshape(x, [64, 32]) as Tensor])), target);
    expect(units).toEqual([]);
    expect(outputs.map(({ base }) => base)).toEqual([0]);
    expect(shownUnits(transpose(x) as Tensor)).toEqual(['64 32: copy → 1']);
  });

  it('sums of nothing read nothing', () => {
    const none = leaf(3, 0);
    expect(shownUnits(sum(none, { axis: 1 }) as Tensor)).toEqual([expect.stringMatching(/^3: copy → 1$/)]);
    expect(shownUnits(matmul(none, leaf(0, 5) as never) as Tensor)).toEqual([expect.stringMatching(/copy → 1$/)]);
  });
});

describe('simplifying', () => {
  const operations = (...roots: readonly Node[]): readonly string[] =>
    simplify(programOfPending(roots).program).instructions.map(({ op }) => op);
  const y = nodeOf(leaf(5));
  const number = (value: number): Node =>
    b.broadcast(b.constant({ value: new DynamicNumber(value), dtype: 'float32' }), { shape: [5] });

  it('uses identities that hold for every value', () => {
    for (const same of [
      b.mul(y, number(1)),
      b.mul(number(1), y),
      b.sub(y, number(0)),
      b.div(y, number(1)),
      b.neg(b.neg(y)),
      b.select(b.lt(y, number(2)), y, y),
      b.cast(y, { dtype: 'float32' }),
      b.stopGradient(y),
      b.reshape(y, { shape: [5] }),
      b.sub(b.mul(b.neg(b.neg(y)), number(1)), number(0)),
    ]) {
      expect(operations(b.exp(same))).toEqual(['exp']);
      compare([b.exp(same), same], wasmBackend);
    }
    expect(operations(b.mul(y, number(-1)))).toEqual(['neg']);
    expect(operations(b.sum(b.reshape(y, { shape: [5, 1] }), { axes: [1] }))).toEqual(['reshape', 'reshape']);
  });

  it('uses none that does not', () => {
    const special = bufferNode([5], new HostStorage('float32', Float32Array.of(-0, Number.NaN, Infinity, -1, 0)));
    const roots = [
      b.add(special, number(0)),
      b.mul(special, number(0)),
      b.sub(special, number(-0)),
      b.sub(number(0), special),
      b.div(number(1), special),
      b.sub(special, special),
      b.div(special, special),
    ];
    for (const root of roots) expect(operations(root)).toHaveLength(2 - (root.inputs[0] === root.inputs[1] ? 1 : 0));
    const bits = wasmBackend.compile(programOfPending(roots).program);
    const { leaves, scalars } = programOfPending(roots);
    const [sums, products, differences] = bits.run(
      leaves.map(each => each.value as HostStorage),
      scalars,
    ) as HostStorage[];
    expect([...sums!.readSync()]).toEqual([0, Number.NaN, Infinity, -1, 0]);
    expect([...products!.readSync()]).toEqual([-0, Number.NaN, Number.NaN, -0, 0]);
    expect([...differences!.readSync()]).toEqual([0, Number.NaN, Infinity, -1, 0]);
  });

  it('leaves out what is not used, and what only that uses', () => {
    const used = b.neg(y);
    const { program } = programOfPending([used, b.sum(b.exp(b.mul(y, y)), { axes: [0] })]);
    const first = { ...program, outputs: program.outputs.slice(0, 1) };
    expect(program.instructions).toHaveLength(4);
    expect(simplify(first).instructions.map(({ op }) => op)).toEqual(['neg']);
  });

  it('brings axes that are reduced or contracted together', () => {
    const cube = nodeOf(leaf(3, 4, 5));
    expect(operations(b.sum(cube, { axes: [0, 2] }))).toEqual(['permute', 'sum']);
    expect(operations(b.sum(cube, { axes: [2, 1] }))).toEqual(['sum']);
    // Only an axis of length 1 stands between.
    expect(
      operations(b.sum(b.slice(cube, { start: [0, 1, 0], stop: [3, 2, 5], step: [1, 1, 1] }), { axes: [0, 2] })),
    ).toEqual(['slice', 'sum']);
  });
});

describe('the order of the units', () => {
  /** Throws unless everything that is read was made before, once. */
  const checkOrder = (program: Program): number => {
    const simple = simplify(program);
    const fused: Fused = fuse(simple, target);
    const made = new Set<number>([...program.inputs.keys(), ...program.scalars.map(({ slot }) => slot)]);
    const baseOf = (slot: number): number => fused.parts.get(slot)?.tuple ?? slot;
    const read = (slot: number | null): void => {
      if (slot !== null && !made.has(baseOf(slot)))
        expect.fail(`slot ${slot} is read before it is made:\n${fused.units.map(showUnit).join('\n')}`);
    };
    const make = (slot: number): void => {
      if (made.has(slot)) expect.fail(`slot ${slot} is made twice`);
      made.add(slot);
    };
    for (const unit of fused.units) {
      if (unit.kind === 'single') {
        for (const { base } of unit.operands) read(base);
        make(unit.instruction.result);
        continue;
      }
      const { values, stores } = unit.kernel;
      values.forEach((value, id) => {
        if (value.kind === 'load') read(value.slot);
        const operands = value.kind === 'operation' ? value.operands : value.kind === 'reduce' ? [value.operand] : [];
        if (operands.some(operand => operand >= id)) expect.fail('a value is used before it is made');
      });
      if (stores.length === 0) expect.fail('a kernel stores nothing');
      for (const { slot } of stores) make(slot);
    }
    for (const { base } of fused.outputs) read(base);
    const bodies = simple.instructions.flatMap(each => each.bodies);
    return bodies.reduce((count, body) => count + checkOrder(body), fused.units.length);
  };

  for (const [name, generated, runs] of [
    ['random graphs', graphs(), 800],
    ['random graphs of rows', rowGraphs(), 400],
  ] as readonly (readonly [string, fc.Arbitrary<GeneratedGraph>, number])[]) {
    it(`reads nothing before it is made: ${name}`, () => {
      let units = 0;
      fc.assert(
        fc.property(generated, ({ roots }) => {
          units += checkOrder(programOfPending(roots).program);
        }),
        { numRuns: runs, seed: 11 },
      );
      expect(units).toBeGreaterThan(2 * runs);
    });
  }

  it('diamonds of kernels and products have no cycle', () => {
    // The product stands between what is read by it and by what reads it.
    const y = exp(x) as Tensor;
    const product = matmul(y, transpose(y) as never) as Tensor;
    const sums = sum(y, { axis: 1, keepDims: true }) as Tensor;
    const both = [add(product, sums) as Tensor, mul(sums, sum(product, { axis: 1, keepDims: true })) as Tensor];
    expect(checkOrder(programOf(both))).toBeGreaterThan(2);
    compare(both.map(nodeOf), wasmBackend);
  });
});
