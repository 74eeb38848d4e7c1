/**
 * Convolutions as sums of products along axes. What kernels reach of the spatial operand is copied with the zeros around it, for
 * one group (and sample) at a time, so that the sums know no borders:
 *
 * - the output and the kernel are sums over a window of the input;
 * - to the input, each place of the kernel adds what it makes of a window of the output.
 */
import { bytesOf, type DType } from '../../../dtype.js';
import { firstSpatial } from '../../../primitives/convolution.js';
import type { ConvParams, ConvRole } from '../../../primitives/signatures.js';
import { type Aval, type Shape, sizeOf } from '../../../shape.js';
import type { FunctionWriter, Local } from '../assembler.js';
import { roundElements } from './moves.js';
import { hasProducts, writeProducts } from './products.js';
import { type Axis, advance, byteSteps, copyElements, kernelOf, type LoopKernel, nest } from './walk.js';

/** What is copied of an array: some of its axes, then part of the spatial ones, which may reach beyond them. */
interface Window {
  readonly dtype: DType;
  /** Steps of the array's elements. */
  readonly leading: readonly Axis[];
  readonly spatial: readonly Axis[];
  readonly start: readonly number[];
  readonly lengths: readonly number[];
}

/** The shape that a window has where it is copied to. */
const held = ({ dtype, leading, lengths }: Window): Aval => ({
  shape: [...leading.map(({ length }) => length), ...lengths],
  dtype,
});

/** Bytes of an array in scratch memory. */
const room = ({ shape, dtype }: Aval): number => Math.ceil((sizeOf(shape) * bytesOf[dtype]) / 16) * 16;

const zeros = (f: FunctionWriter, { shape, dtype }: Aval, to: Local): void => {
  f.get(to)
    .i32(0)
    .i32(sizeOf(shape) * bytesOf[dtype])
    .memoryFill();
};

/** Copies a window, with zeros where it reaches outside. */
const copyWindow = (f: FunctionWriter, window: Window, to: Local, from: Local): void => {
  const { dtype, leading, spatial, start, lengths } = window;
  const steps = byteSteps(held(window));
  const inner = steps.slice(leading.length);
  const copied = spatial.map(({ length, steps: [step] }, axis) => {
    const first = Math.max(0, start[axis]!);
    const end = Math.min(length, start[axis]! + lengths[axis]!);
    const ahead = [(first - start[axis]!) * inner[axis]!, first * step!];
    return { length: Math.max(0, end - first), steps: [inner[axis]!, step!], ahead };
  });
  if (copied.some(({ length }, axis) => length < lengths[axis]!)) zeros(f, held(window), to);
  const move = (by: 1 | -1): void =>
    [to, from].forEach((address, i) => {
      advance(f, address, by * copied.reduce((sum, { ahead }) => sum + ahead[i]!, 0));
    });
  move(1);
  const outer = leading.map(({ length, steps: [step] }, i) => ({ length, steps: [steps[i]!, step!] }));
  copyElements(f, [...outer, ...copied], to, from, bytesOf[dtype]);
  move(-1);
};

/** The address so many bytes further. */
const behind = (f: FunctionWriter, address: Local, bytes: number): Local =>
  f.get(address).i32(bytes).op('i32.add').keep('i32');

/** An array: lengths and steps by axis, the spatial ones apart. */
const layoutOf = (aval: Aval) => {
  const steps = byteSteps(aval);
  const axes: Axis[] = aval.shape.map((length, axis) => ({ length, steps: [steps[axis]!] }));
  return {
    steps,
    axes,
    spatial: axes.slice(firstSpatial),
    lengths: aval.shape.slice(firstSpatial),
    spatialSteps: steps.slice(firstSpatial),
  };
};

const times = (steps: readonly number[], factors: readonly number[]): number[] =>
  steps.map((step, axis) => step * factors[axis]!);

/** Axes of these lengths that two arrays walk along. */
const pair = (lengths: Shape, first: readonly number[], second: readonly number[]): Axis[] =>
  lengths.map((length, axis) => ({ length, steps: [first[axis]!, second[axis]!] }));

/** What kernels reach of an input. */
const inputWindow = (
  { strides, dilation, padding }: ConvParams,
  leading: readonly Axis[],
  spatial: readonly Axis[],
  { kernel, output, dtype }: { readonly kernel: Shape; readonly output: Shape; readonly dtype: DType },
): Window => ({
  dtype,
  leading,
  spatial,
  start: padding.map(([low]) => -low),
  lengths: output.map((length, axis) => (length - 1) * strides[axis]! + dilation[axis]! * (kernel[axis]! - 1) + 1),
});

/** One sample and group after another: rows are the channels of the output, columns its places. */
const ofOutput = (params: ConvParams, [xAval, wAval]: readonly [Aval, Aval], yAval: Aval): LoopKernel => {
  const { dtype } = yAval;
  const [x, w, y] = [layoutOf(xAval), layoutOf(wAval), layoutOf(yAval)];
  const [n, g, c] = x.axes as [Axis, Axis, Axis];
  const window = inputWindow(params, [c], x.spatial, { kernel: w.lengths, output: y.lengths, dtype });
  const [channel, ...places] = byteSteps(held(window));
  return kernelOf([xAval, wAval], yAval, (f, [from, kernel], to, scratch) => {
    const panel = behind(f, scratch, room(held(window)));
    const batch = [
      { length: n.length, steps: [x.steps[0]!, 0, y.steps[0]!] },
      { length: g.length, steps: [x.steps[1]!, w.steps[0]!, y.steps[1]!] },
    ];
    let packed = 0;
    nest(f, batch, [from!, kernel!, to], () => {
      copyWindow(f, window, scratch, from!);
      const products = {
        dtype,
        result: dtype,
        rows: [{ length: wAval.shape[1]!, steps: [w.steps[1]!, y.steps[2]!] }],
        columns: pair(y.lengths, times(places, params.strides), y.spatialSteps),
        contract: [
          { length: c.length, steps: [w.steps[2]!, channel!] },
          ...pair(w.lengths, w.spatialSteps, times(places, params.dilation)),
        ],
      };
      packed = writeProducts(f, products, { a: kernel!, b: scratch, to, scratch: panel });
    });
    return room(held(window)) + packed;
  });
};

/** One group after another: rows are the channels of the output, columns those of the input and the kernel's places. */
const ofKernel = (params: ConvParams, [xAval, yAval]: readonly [Aval, Aval], wAval: Aval): LoopKernel => {
  const { dtype } = wAval;
  const [x, y, w] = [layoutOf(xAval), layoutOf(yAval), layoutOf(wAval)];
  const [n, g, c] = x.axes as [Axis, Axis, Axis];
  const window = inputWindow(params, [n, c], x.spatial, { kernel: w.lengths, output: y.lengths, dtype });
  const [sample, channel, ...places] = byteSteps(held(window));
  return kernelOf([xAval, yAval], wAval, (f, [from, output], to, scratch) => {
    const panel = behind(f, scratch, room(held(window)));
    let packed = 0;
    const batch = [{ length: g.length, steps: [x.steps[1]!, y.steps[1]!, w.steps[0]!] }];
    nest(f, batch, [from!, output!, to], () => {
      copyWindow(f, window, scratch, from!);
      const products = {
        dtype,
        result: dtype,
        rows: [{ length: wAval.shape[1]!, steps: [y.steps[2]!, w.steps[1]!] }],
        columns: [
          { length: c.length, steps: [channel!, w.steps[2]!] },
          ...pair(w.lengths, times(places, params.dilation), w.spatialSteps),
        ],
        contract: [
          { length: n.length, steps: [y.steps[0]!, sample!] },
          ...pair(y.lengths, y.spatialSteps, times(places, params.strides)),
        ],
      };
      packed = writeProducts(f, products, { a: output!, b: scratch, to, scratch: panel });
    });
    return room(held(window)) + packed;
  });
};

/**
 * One sample and group after another, into sums for all places that something of the output's window reaches: rows are the
 * channels of the input, columns the places of the window.
 */
const ofInput = (params: ConvParams, [wAval, yAval]: readonly [Aval, Aval], xAval: Aval): LoopKernel => {
  const { dtype } = xAval;
  const { strides, dilation, padding } = params;
  const [w, y, x] = [layoutOf(wAval), layoutOf(yAval), layoutOf(xAval)];
  const [n, g, c] = x.axes as [Axis, Axis, Axis];
  const reach = w.lengths.map((length, axis) => dilation[axis]! * (length - 1));
  const start = padding.map(([low], axis) => Math.ceil((low - reach[axis]!) / strides[axis]!));
  const end = padding.map(([low], axis) => Math.floor((x.lengths[axis]! - 1 + low) / strides[axis]!) + 1);
  const lengths = end.map((each, axis) => Math.max(0, each - start[axis]!));
  const window: Window = { dtype, leading: [y.axes[2]!], spatial: y.spatial, start, lengths };
  const [channel, ...places] = byteSteps(held(window));

  const reached = lengths.map((length, axis) => (length === 0 ? 0 : (length - 1) * strides[axis]! + reach[axis]! + 1));
  // Sums of float32 stay float64 until all is added up.
  const sums: Aval = { shape: [c.length, ...reached], dtype: dtype === 'float32' ? 'float64' : dtype };
  const [sumChannel, ...sumPlaces] = byteSteps(sums);
  const rounded = layoutOf({ shape: [1, 1, ...sums.shape], dtype });
  const result: Window = {
    dtype,
    leading: [rounded.axes[2]!],
    spatial: rounded.spatial,
    start: padding.map(([low], axis) => low - start[axis]! * strides[axis]!),
    lengths: x.lengths,
  };

  return kernelOf([wAval, yAval], xAval, (f, [kernel, from], to, scratch) => {
    const total = behind(f, scratch, room(held(window)));
    const panel = behind(f, total, room(sums));
    const batch = [
      { length: n.length, steps: [0, y.steps[0]!, x.steps[0]!] },
      { length: g.length, steps: [w.steps[0]!, y.steps[1]!, x.steps[1]!] },
    ];
    const products = {
      dtype,
      result: sums.dtype,
      rows: [{ length: c.length, steps: [w.steps[2]!, sumChannel!] }],
      columns: pair(lengths, places, times(sumPlaces, strides)),
      contract: [{ length: wAval.shape[1]!, steps: [w.steps[1]!, channel!] }],
      adds: true,
    };
    let packed = 0;
    nest(f, batch, [kernel!, from!, to], () => {
      copyWindow(f, window, scratch, from!);
      zeros(f, sums, total);
      nest(f, pair(w.lengths, w.spatialSteps, times(sumPlaces, dilation)), [kernel!, total], () => {
        packed = writeProducts(f, products, { a: kernel!, b: scratch, to: total, scratch: panel });
      });
      if (dtype === 'float32') roundElements(f, sizeOf(sums.shape), total, f.get(total).keep('i32'));
      copyWindow(f, result, to, total);
    });
    return room(held(window)) + room(sums) + packed;
  });
};

const writers: Readonly<
  Record<ConvRole, (params: ConvParams, operands: readonly [Aval, Aval], aval: Aval) => LoopKernel>
> = { output: ofOutput, kernel: ofKernel, input: ofInput };

export const conv = (params: ConvParams, operands: readonly Aval[], aval: Aval): LoopKernel | null =>
  hasProducts(aval.dtype) ? writers[params.of](params, operands as readonly [Aval, Aval], aval) : null;
