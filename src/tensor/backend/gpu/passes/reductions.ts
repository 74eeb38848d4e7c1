/** Reductions on a device: blocks of terms, each added up by a thread, and then the blocks. */
import type { Axis, Reducer } from '../../../compile/kernel.js';
import type { DType } from '../../../dtype.js';
import { DeviceError } from '../../../errors.js';
import { sizeOf } from '../../../shape.js';
import { contiguous } from '../../../view.js';
import type { Coordinate } from '../language/code.js';
import type { KernelCode } from '../language/kernel-code.js';
import { operate } from '../language/operations.js';
import { floatsOfScalar, loadScalar, type Scalar, zeroScalar } from '../language/scalars.js';
import { floatsIn, type Traits } from '../pass.js';
import { addressOf, exact, split, splitExactly } from './indices.js';
import { type Sequence, type Value, writePass } from './sequence.js';

/** What is reduced: an element for every index of a space. */
export interface Reduction {
  readonly name: string;
  readonly op: Reducer;
  readonly dtype: DType;
  /** The reduced axes are neighbours. */
  readonly axes: readonly Axis[];
  readonly reads: readonly { readonly value: Value; readonly floats: number }[];
  readonly element: (code: KernelCode, at: readonly Coordinate[]) => Scalar;
  /** Operations for an element. */
  readonly flops: number;
}

/** Up to here an index into blocks of terms is an integer, the last block of which may not be full. */
const longest = 2 ** 30;
/** Terms that one thread adds up: more would round more, and leave the others idle. */
const mostTerms = 1024;
/** Neighbouring threads should read neighbouring terms, where these are many. */
const [manyTerms, leastBlocks] = [128, 32];

/** As long as a launch takes a thread to add up so many terms, roughly. */
const launchTerms = 64;

/** How many terms each thread adds up where all are done soonest, by as many launches as that takes. */
const termsOf = (depth: number): number => {
  const terms = (launches: number): number => depth ** (1 / launches);
  const cost = (launches: number): number => launches * (launchTerms + terms(launches));
  let launches = 1;
  while (cost(launches + 1) < cost(launches)) launches++;
  return Math.round(terms(launches));
};

/** How many blocks the terms of a row are cut into, if possible without a rest. */
const blocksOf = (rows: number, depth: number, inner: boolean, { threads }: Traits): number => {
  const wanted = Math.min(Math.ceil(threads / rows), Math.ceil(depth / termsOf(depth)));
  const coalesced = inner && threads > 1 && depth >= manyTerms ? leastBlocks : 1;
  const least = Math.max(Math.ceil(depth / mostTerms), wanted, coalesced);
  for (let blocks = least; blocks < 2 * least; blocks++) if (depth % blocks === 0) return blocks;
  return least;
};

/** What an operation leaves as it is. */
const identityOf = (code: KernelCode, op: Reducer, dtype: DType): Scalar => {
  if (op === 'sum') return zeroScalar(code, dtype);
  const word = (low: number, high: number): Scalar => ({
    kind: 'word',
    low: code.literal(low),
    high: code.literal(high),
  });
  const float = (x: string): Scalar => ({ kind: 'float', x });
  if (op === 'prod') return dtype === 'int32' || dtype === 'uint32' ? word(1, 0) : float(code.literal(1));
  const largest = op === 'reduceMin';
  if (dtype === 'int32') return largest ? word(65535, 32767) : word(0, 32768);
  if (dtype === 'uint32') return largest ? word(65535, 65535) : word(0, 0);
  if (dtype === 'float32') return float(largest ? code.infinity : code.let(`0 - ${code.infinity}`));
  return float(code.literal(largest ? (dtype === 'bool' ? 1 : 255) : 0));
};

const operationOf = (op: Reducer, dtype: DType): string => {
  if (op === 'sum') return 'add';
  if (op === 'prod') return 'mul';
  if (dtype === 'bool') return op === 'reduceMax' ? 'or' : 'and';
  return op === 'reduceMax' ? 'max' : 'min';
};

/** The buffer with what is left of every row. */
export const reduce = (sequence: Sequence, reduction: Reduction): Value => {
  const { traits } = sequence;
  const { name, op, dtype, axes, reads, element, flops } = reduction;
  const first = axes.findIndex(({ reduced }) => reduced);
  const run = axes.filter(({ reduced }) => reduced).map(({ length }) => length);
  const before = axes.slice(0, first).map(({ length }) => length);
  const behind = axes.slice(first + run.length).map(({ length }) => length);
  const [depth, inner] = [sizeOf(run), sizeOf(behind) === 1];
  const blocks = blocksOf(sizeOf(before) * sizeOf(behind), depth, inner, traits);
  const turns = Math.ceil(depth / blocks);
  const most = traits.integers ? longest : exact;
  if (depth > most) {
    throw new DeviceError({
      operation: name,
      given: `a reduction of ${depth} elements along axes of lengths ${run}`,
      rule: `indices are exact on this device only up to ${most}`,
      hint: 'Reduce one axis after the other, or compute it on the CPU: await device("cpu").',
    });
  }
  const lengths = blocks === 1 ? [...before, ...behind] : [...before, blocks, ...behind];
  const pass = writePass(
    traits,
    {
      name,
      lengths,
      dtype,
      reads: reads.map(({ floats }) => floats),
      flops: (flops + 1) * depth * sizeOf(before) * sizeOf(behind),
    },
    (code, at) => {
      const total = floatsOfScalar(code, identityOf(code, op, dtype)).map(part => code.variable(part));
      const scalarOf = (parts: readonly string[]): Scalar =>
        parts.length === 1 ? { kind: 'float', x: parts[0]! } : { kind: 'word', low: parts[0]!, high: parts[1]! };
      const take = (within: readonly Coordinate[]): void => {
        const place = [...at.slice(0, before.length), ...within, ...at.slice(lengths.length - behind.length)];
        const next = operate(
          code,
          operationOf(op, dtype),
          {},
          [scalarOf(total), element(code, place)],
          [dtype, dtype],
          dtype,
        );
        floatsOfScalar(code, next).forEach((part, i) => {
          code.assign(total[i]!, part);
        });
      };
      if (blocks === 1) {
        const nest = (within: readonly Coordinate[]): void => {
          if (within.length === run.length) take(within);
          else code.loop(run[within.length]!, index => nest([...within, index]));
        };
        nest([]);
        return scalarOf(total);
      }
      const block = at[before.length]!;
      code.loop(turns, turn => {
        const text = inner
          ? `(${turn.integer} * ${blocks} + ${block.integer})`
          : `(${block.integer} * ${turns} + ${turn.integer})`;
        const each = (): void => {
          if (run.length === 1) take([{ integer: text, float: depth <= exact ? code.let(text) : text }]);
          else take(depth <= exact ? split(code, text, run) : splitExactly(code, text, run));
        };
        if (turns * blocks === depth) each();
        else code.if(`${text} < ${depth}`, each);
      });
      return scalarOf(total);
    },
  );
  const [made] = sequence.launch(
    pass,
    reads.map(({ value }) => value),
  ) as [Value];
  if (blocks === 1) return made;
  const left: Axis[] = lengths.map((length, axis) => ({ length, reduced: axis === before.length }));
  const view = contiguous(lengths);
  return reduce(sequence, {
    name,
    op,
    dtype,
    axes: left,
    reads: [{ value: made, floats: floatsIn({ shape: lengths, dtype }) }],
    element: (code, at) => loadScalar(code, dtype, 0, addressOf(code, view, at).index),
    flops: 0,
  });
};
