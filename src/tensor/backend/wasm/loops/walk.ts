/**
 * How loop kernels walk through memory. All shapes are known when a kernel is written, so its loops have constant lengths
 * and every array is an address that goes on by constant steps. Whoever moves an address moves it back: a body finds all
 * addresses where it left them, and walks can be put into each other.
 */
import { bytesOf } from '../../../dtype.js';
import { type Aval, range, sizeOf, stridesOf } from '../../../shape.js';
import { FunctionWriter, type Local } from '../assembler.js';

export interface LoopKernel {
  /** Takes the addresses of the inputs, the results and the scratch memory. */
  readonly writer: FunctionWriter;
  /** Bytes of scratch memory wanted. */
  readonly scratch: number;
  /** Parts of the work that know nothing of each other, if there are such: the kernel takes then also from and to which it is to go. */
  readonly parts?: Parts;
}

/** Into how many parts a kernel's work falls, and roughly how many nanoseconds all of it takes. */
export interface Parts {
  readonly count: number;
  readonly nanoseconds: number;
}

/** A kernel of one result out of what writes its code, which says how much scratch memory it wants. */
export const kernelOf = (
  inputs: readonly Aval[],
  result: Aval,
  write: (f: FunctionWriter, addresses: readonly Local[], result: Local, scratch: Local) => number,
): LoopKernel => {
  const count = inputs.length;
  const writer = new FunctionWriter(range(count + 2).map(() => 'i32'));
  // A result without elements needs no code.
  return { writer, scratch: sizeOf(result.shape) === 0 ? 0 : write(writer, range(count), count, count + 1) };
};

/** A kernel of several results and of parts: what writes its code is told from and to which part it is to go. */
export const kernelOfParts = (
  inputs: readonly Aval[],
  results: number,
  parts: Parts,
  write: (
    f: FunctionWriter,
    addresses: readonly Local[],
    results: readonly Local[],
    scratch: Local,
    range: readonly [from: Local, to: Local],
  ) => number,
): LoopKernel => {
  const count = inputs.length + results;
  const addresses = range(count);
  const writer = new FunctionWriter(range(count + 3).map(() => 'i32'));
  const [given, made] = [addresses.slice(0, inputs.length), addresses.slice(inputs.length)];
  if (parts.count === 0) return { writer, scratch: 0, parts };
  return { writer, scratch: write(writer, given, made, count, [count + 1, count + 2]), parts };
};

/** An axis that several addresses walk along: its length, and by how many bytes each of them goes on. */
export interface Axis {
  readonly length: number;
  readonly steps: readonly number[];
}

/** The bytes from an element to the next, by axis. */
export const byteSteps = ({ shape, dtype }: Aval): number[] => stridesOf(shape).map(stride => stride * bytesOf[dtype]);

/** Axes of length 1 go; an axis that is walked as a part of the one before it becomes one with it. */
export const merged = (axes: readonly Axis[]): Axis[] => {
  const result: Axis[] = [];
  for (const axis of axes) {
    const last = result[result.length - 1];
    if (axis.length === 1) continue;
    if (last?.steps.every((step, i) => step === axis.length * axis.steps[i]!)) {
      result[result.length - 1] = { length: last.length * axis.length, steps: axis.steps };
    } else result.push(axis);
  }
  return result;
};

/** The longest of the axes (or of those that pass the test, if any does), and the others. */
export const longest = (
  axes: readonly Axis[],
  preferred: (axis: Axis) => boolean = () => true,
): readonly [Axis | undefined, readonly Axis[]] => {
  const candidates = axes.some(preferred) ? axes.filter(preferred) : axes;
  const best = [...candidates].sort((p, q) => q.length - p.length)[0];
  return [best, axes.filter(axis => axis !== best)];
};

export const advance = (f: FunctionWriter, address: Local, bytes: number): void => {
  if (bytes !== 0) f.get(address).i32(bytes).op('i32.add').set(address);
};

export const repeat = (f: FunctionWriter, count: number, body: () => void): void => {
  if (count === 1) body();
  if (count <= 1) return;
  const [counter, limit] = [f.i32(0).keep('i32'), f.i32(count).keep('i32')];
  f.loop(counter, limit, 1, body);
};

/** Along one axis in blocks of `size`; the body is told how many elements its block has: the last one may have fewer. */
export const inBlocks = (
  f: FunctionWriter,
  { length, steps }: Axis,
  size: number,
  addresses: readonly Local[],
  body: (count: number) => void,
): void => {
  if (length <= size) {
    if (length > 0) body(length);
    return;
  }
  const blocks = Math.floor(length / size);
  const go = (elements: number): void => {
    addresses.forEach((address, i) => {
      advance(f, address, elements * steps[i]!);
    });
  };
  repeat(f, blocks, () => {
    body(size);
    go(size);
  });
  if (length % size > 0) body(length % size);
  go(-blocks * size);
};

/** Through all axes, the last one fastest. */
export const nest = (f: FunctionWriter, axes: readonly Axis[], addresses: readonly Local[], body: () => void): void => {
  const [first, ...rest] = axes;
  if (axes.some(({ length }) => length === 0)) return;
  if (first === undefined) body();
  else inBlocks(f, first, 1, addresses, () => nest(f, rest, addresses, body));
};

/** The first `count` lanes (others: anything) of a vector of elements that lie `step` bytes apart. */
export const loadLanes = (
  f: FunctionWriter,
  address: Local,
  offset: number,
  step: number,
  bytes: 4 | 8,
  lanes: number,
  count: number,
): void => {
  if (step === bytes && count > 1) {
    f.get(address).memory(lanes * bytes === 16 ? 'v128.load' : 'v128.load64_zero', offset);
    return;
  }
  for (let lane = 0; lane < count; lane++) f.get(address);
  f.memory(bytes === 4 ? 'v128.load32_zero' : 'v128.load64_zero', offset);
  for (let lane = 1; lane < count; lane++) {
    f.memoryLane(bytes === 4 ? 'v128.load32_lane' : 'v128.load64_lane', lane, offset + lane * step);
  }
};

/** Loads an element to the stack without looking at it. */
export const loadElement = (f: FunctionWriter, address: Local, bytes: number): void => {
  f.get(address).memory(bytes === 1 ? 'i32.load8_u' : bytes === 4 ? 'i32.load' : 'i64.load');
};

/** Stores what {@link loadElement} loads: address and element are on the stack. */
export const storeElement = (f: FunctionWriter, bytes: number): void => {
  f.memory(bytes === 1 ? 'i32.store8' : bytes === 4 ? 'i32.store' : 'i64.store');
};

/** From here on memory.copy, whose call takes as long as a dozen copied vectors, is as fast as unrolled code. */
const longCopy = 256;

/** Copies a block of constant size. The last piece overlaps the one before it where that saves smaller ones. */
export const copyBytes = (f: FunctionWriter, to: Local, from: Local, bytes: number): void => {
  if (bytes >= longCopy) {
    f.get(to, from).i32(bytes).memoryCopy();
    return;
  }
  const pieces = [
    [16, 'v128.load', 'v128.store'],
    [8, 'i64.load', 'i64.store'],
    [4, 'i32.load', 'i32.store'],
    [1, 'i32.load8_u', 'i32.store8'],
  ] as const;
  const piece = pieces.find(([size]) => size <= bytes);
  if (piece === undefined) return;
  const [size, load, store] = piece;
  for (let at = 0; at < bytes; at += size) {
    const offset = Math.min(at, bytes - size);
    f.get(to, from).memory(load, offset).memory(store, offset);
  }
};

/** Copies elements from place to place; the steps of the axes are those of (to, from). */
export const copyElements = (f: FunctionWriter, axes: readonly Axis[], to: Local, from: Local, bytes: number): void => {
  const walked = merged(axes);
  const last = walked[walked.length - 1];
  const block = last?.steps.every(step => step === bytes) ? walked.pop()! : { length: 1 };
  nest(f, walked, [to, from], () => copyBytes(f, to, from, block.length * bytes));
};
