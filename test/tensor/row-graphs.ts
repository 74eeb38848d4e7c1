/**
 * Random graphs of the form that kernels with reductions have: values over one space and values of its rows, each made of
 * the other again and again, of lengths around those at which kernels change what they do.
 */
import * as fc from 'fast-check';
import { b } from '../../src/tensor/build.js';
import { programOfPending } from '../../src/tensor/compile/program.js';
import { showProgram } from '../../src/tensor/compile/show.js';
import { type DType, isFloat } from '../../src/tensor/dtype.js';
import { bufferNode, DynamicNumber, type Node } from '../../src/tensor/graph.js';
import { range, type Shape, sameShape, sizeOf } from '../../src/tensor/shape.js';
import { HostStorage } from '../../src/tensor/storage.js';
import {
  below,
  bySlots,
  type GeneratedGraph,
  pick,
  type Random,
  randomArray,
  randomOf,
  shuffled,
  subset,
} from './differential.js';

/** No space is larger. */
const cap = 8000;
const lengths = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 33, 40, 64, 65, 100, 255, 256, 257, 300];
const long = [1000, 1023, 1024, 1025, 2048, 2049, 3077];
const numeric: readonly DType[] = ['float32', 'float64', 'int32', 'uint32'];
const likely: readonly DType[] = ['float32', 'float32', 'float32', 'float64', 'int32', 'uint32', 'uint8', 'bool'];

/** A value over the whole space, or of a row. */
interface Member {
  readonly node: Node;
  readonly level: 'element' | 'row';
}

/** A leaf read through a view: permuted, flipped, thinned out, shifted into padding, repeated. */
const leafOf = (random: Random, shape: Shape, dtype: DType, special: number): Node => {
  const buffer = (own: Shape): Node =>
    bufferNode(own, new HostStorage(dtype, randomArray(random, dtype, sizeOf(own), special)));
  const axes = range(shape.length);
  switch (below(random, 9)) {
    case 0: {
      // Axis i of the result is axis order[i] of the buffer.
      const order = shuffled(random, axes);
      return b.permute(buffer(axes.map(axis => shape[order.indexOf(axis)]!)), { axes: order });
    }
    case 1:
      return b.flip(buffer(shape), { axes: subset(random, axes) });
    case 2: {
      const step = shape.map(() => pick(random, [1, 1, 2, 3]));
      const start = shape.map(() => below(random, 3));
      const whole = shape.map((n, axis) => start[axis]! + n * step[axis]!);
      return sizeOf(whole) > 4 * cap ? buffer(shape) : b.slice(buffer(whole), { start, stop: whole, step });
    }
    case 3: {
      const low = shape.map(n => below(random, Math.min(n, 6)));
      const high = shape.map((n, axis) => below(random, Math.min(n - low[axis]!, 6)));
      const interior = shape.map(() => 0);
      return b.pad(buffer(shape.map((n, axis) => n - low[axis]! - high[axis]!)), { low, high, interior });
    }
    case 4:
      return b.broadcast(buffer(shape.map(n => (random() < 0.5 ? 1 : n))), { shape });
    case 5:
      return b.broadcast(buffer(shape.slice(below(random, shape.length + 1))), { shape });
    case 6:
      return b.iota({ shape, dtype: dtype === 'bool' ? 'int32' : dtype, axis: below(random, shape.length) });
    default:
      return buffer(shape);
  }
};

const cast = (x: Node, dtype: DType): Node => (x.dtype === dtype ? x : b.cast(x, { dtype }));

/** One operation that keeps values from growing, on operands of any dtypes. */
const operation = (random: Random, x: Node, y: Node, z: Node): Node => {
  const dtype = pick(random, numeric.includes(x.dtype) ? [x.dtype, x.dtype, x.dtype, ...numeric] : numeric);
  const [p, q] = shuffled(random, [cast(x, dtype), cast(y, dtype)]) as [Node, Node];
  if (random() < 0.2) return pick(random, [b.lt, b.ge, b.ne])(p, q);
  if (random() < 0.15) return b.select(cast(z, 'bool'), p, q);
  if (!isFloat(dtype)) return pick(random, [b.add, b.sub, b.mul, b.max, b.min, b.xor, b.and])(p, q);
  if (random() < 0.4) return pick(random, [b.tanh, b.sigmoid, b.neg, b.abs, b.cos, b.floor, b.sqrt])(p);
  if (random() < 0.2) return b.exp(b.min(p, b.broadcast(number(1, dtype), { shape: p.shape })));
  return pick(random, [b.add, b.sub, b.mul, b.max, b.min, b.sub])(p, q);
};
const number = (value: number, dtype: DType): Node => b.constant({ value: new DynamicNumber(value), dtype });

/** A graph by its seed, of so many steps. */
const grown = (seed: number, steps: readonly number[]): readonly Node[] => {
  const random = randomOf(seed);
  const special = random() < 0.15 ? 0.1 : 0;
  const shape: number[] = [];
  for (let rank = 1 + below(random, 4), room = cap; shape.length < rank; ) {
    const length = pick(random, random() < 0.25 ? long : lengths);
    shape.push(
      length <= room
        ? length
        : pick(
            random,
            [1, 2, 3].filter(n => n <= Math.max(1, room)),
          ),
    );
    room = Math.floor(room / shape[shape.length - 1]!);
  }
  shape.splice(0, shape.length, ...shuffled(random, shape));
  const axes = range(shape.length);
  // Most often the last ones, or some neighbours.
  const from = below(random, shape.length);
  const reduced = pick(random, [axes.slice(from), axes.slice(from), axes.slice(from, from + 1), subset(random, axes)]);
  const row = shape.map((n, axis) => (reduced.includes(axis) ? 1 : n));
  const spread = (x: Node): Node => (sameShape(x.shape, shape) ? x : b.broadcast(x, { shape }));
  const dtype = (): DType => pick(random, likely);

  const members: Member[] = [{ node: leafOf(random, shape, dtype(), special), level: 'element' }];
  const recent = (own: Random): Member => members[members.length - 1 - Math.floor(own() ** 1.5 * members.length)]!;
  const at = (own: Random, level: Member['level']): Node => {
    const { node, level: is } = recent(own);
    if (level === 'element') return is === 'element' ? node : spread(node);
    if (is === 'row') return node;
    const rows = members.filter(member => member.level === 'row');
    return rows.length > 0 ? pick(own, rows).node : leafOf(own, row, dtype(), special);
  };
  for (const step of steps) {
    const own = randomOf(step);
    const kind = own();
    if (kind < 0.12) {
      members.push({ node: leafOf(own, shape, pick(own, likely), special), level: 'element' });
    } else if (kind < 0.17) {
      members.push({ node: leafOf(own, row, pick(own, likely), special), level: 'row' });
    } else if (kind < 0.42) {
      const x = at(own, 'element');
      const operand = numeric.includes(x.dtype) ? x : cast(x, pick(own, numeric));
      const sums = own() < 0.5;
      const total = (sums ? b.sum : own() < 0.5 ? b.reduceMax : b.reduceMin)(operand, { axes: reduced });
      const kept = b.reshape(total, { shape: row });
      const terms = sizeOf(shape) / sizeOf(row);
      const mean = (): Node => b.mul(kept, b.broadcast(number(1 / terms, kept.dtype), { shape: row }));
      members.push({ node: sums && isFloat(kept.dtype) && own() < 0.7 ? mean() : kept, level: 'row' });
    } else if (kind < 0.45 && shape.length > 1) {
      // Over other axes.
      const x = at(own, 'element');
      const operand = numeric.includes(x.dtype) ? x : cast(x, 'float32');
      const others = subset(own, axes);
      const total = b.sum(operand, { axes: others });
      const kept = b.reshape(total, { shape: shape.map((n, axis) => (others.includes(axis) ? 1 : n)) });
      members.push({ node: spread(kept), level: 'element' });
    } else {
      const level = kind < 0.6 && members.some(member => member.level === 'row') ? 'row' : 'element';
      members.push({ node: operation(own, at(own, level), at(own, level), at(own, level)), level });
    }
  }
  const pending = [...new Set(members.map(({ node }) => node))].filter(node => node.value === null);
  return shuffled(
    random,
    pending.filter(node => node.uses === 0 || random() < 0.15),
  );
};

/** A counterexample shrinks by losing steps. */
export const rowGraphs = (): fc.Arbitrary<GeneratedGraph> =>
  fc
    .record({
      seed: fc.noBias(fc.integer()),
      steps: fc.array(fc.noBias(fc.integer()), { minLength: 1, maxLength: 14, size: 'max' }),
    })
    .map(({ seed, steps }) => {
      const roots = grown(seed, steps);
      return {
        roots,
        [fc.toStringMethod]: () => {
          const { program, scalars } = programOfPending(roots);
          return `\n${showProgram(program, scalars, bySlots)}\n`;
        },
      };
    });
