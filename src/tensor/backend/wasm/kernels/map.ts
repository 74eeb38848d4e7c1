/** Kernels without reductions: every element by itself, vectors along the last axis, or the one before if that is short. */
import { type Kernel, lengthsOf } from '../../../compile/kernel.js';
import { contiguous } from '../../../view.js';
import { FunctionWriter, type Local } from '../assembler.js';
import type { Value } from '../emitter.js';
import { Body, isDear, type KernelCode, lanesOf, parametersOf, slotsOf } from './body.js';
import { type Access, collapsed, Rows } from './cursors.js';
import { Vectors } from './vectors.js';

/** Elements a call does: enough to forget the call, few enough that V8 puts in the optimised code soon. */
const tileElements = 2 ** 14;

/** A tile of a single row ends where no loop over several vectors has to stop before. */
const wholeVectors = 64;

/**
 * How many vectors are computed side by side. A long chain of dear operations leaves a processor waiting for each result
 * before it can go on; with several chains it always has something to do.
 */
const sideBySide = ({ values }: Kernel, vectors: number): number => {
  const dear = values.filter(value => value.kind === 'operation' && isDear(value.op)).length;
  if (dear < 2 || values.length > 64 || vectors < 64) return 1;
  return values.length > 48 ? 2 : 4;
};

/** Rows shorter than this may be walked side by side. */
const shortRow = 8;

/**
 * The axis of the vectors. Where the last one does nothing but interleave a few phases of what, for the most part, lies side by
 * side, each of them is made of whole vectors, and written with gaps.
 */
const vectorAxisOf = (lengths: readonly number[], reads: readonly Access[]): number => {
  const last = lengths.length - 1;
  if (last < 1 || lengths[last]! >= shortRow || lengths[last - 1]! < shortRow) return last;
  const steps = reads.flatMap(({ argument, view }) => (argument === null ? [] : [view.strides[last - 1]!]));
  const [moving, gapped] = [steps.filter(step => step !== 0), steps.filter(step => step !== 0 && step !== 1)];
  return 2 * gapped.length < moving.length ? last - 1 : last;
};

/** @param border an axis before which units of the kernel end; units are in order then */
export const writeMap = (kernel: Kernel, border?: number): KernelCode => {
  const slots = slotsOf(kernel);
  const { types, from, to } = parametersOf(slots);
  const writer = new FunctionWriter(types);
  const { values, stores } = kernel;
  const whole = lengthsOf(kernel.space, 'element');
  const ids = values.flatMap((value, id) => (value.kind === 'load' || value.kind === 'index' ? [id] : []));
  const reads = ids.map((id): Access => {
    const value = values[id]!;
    const argument = value.kind === 'load' ? slots.indexOf(value.slot) : null;
    return { argument, dtype: value.dtype, view: (value as { view: Access['view'] }).view };
  });
  const reading = slots.length - stores.length;
  const writes = stores.map(
    ({ value }, i): Access => ({ argument: reading + i, dtype: values[value]!.dtype, view: contiguous(whole) }),
  );
  const { lengths, accesses } = collapsed(whole, [...reads, ...writes], border);
  const vectorAxis = border === undefined ? vectorAxisOf(lengths, accesses.slice(0, reads.length)) : lengths.length - 1;
  const inner = lengths[vectorAxis] ?? 1;
  const rowAxes = [...lengths.keys()].filter(axis => axis !== vectorAxis);
  const outer = rowAxes.map(axis => lengths[axis]!);
  const rows = new Rows(writer, accesses, rowAxes, vectorAxis < 0 ? null : vectorAxis, lengths);
  const vectors = new Vectors(writer, lanesOf(kernel));
  const side = sideBySide(kernel, inner / vectors.lanes);
  const whole4 = Math.floor(inner / vectors.lanes) * vectors.lanes;

  /** The places from `position` on, up to `end`, in whole vectors, and behind them what is left. */
  const row = (position: Local, end: Local, tail: (emit: () => void) => void): void => {
    const fixed = new Map<number, Value>();
    ids.forEach((id, i) => {
      const cursor = rows.cursors[i]!;
      if (cursor.stride === 0 && cursor.valid === null && cursor.access.argument !== null)
        fixed.set(id, vectors.splat(cursor));
    });
    const bodyAt = (at: Local, count: number): Body =>
      new Body(writer, kernel, (id, value) =>
        value.kind === 'operation' ? null : (fixed.get(id) ?? vectors.load(rows.cursors[ids.indexOf(id)]!, at, count)),
      );
    // A result may take the place of what is read here: nothing is written before all has been computed.
    const write = (at: Local, body: Body, count: number): void => {
      const results = stores.map(({ value }) => body.value(value));
      results.forEach((value, i) => {
        vectors.store(rows.cursors[ids.length + i]!, at, value, count);
      });
    };
    const place = (count: number): void => write(position, bodyAt(position, count), count);
    if (side > 1) {
      const bulk = writer
        .get(end)
        .i32((side - 1) * vectors.lanes)
        .op('i32.sub')
        .keep('i32');
      writer
        .get(end)
        .i32(side * vectors.lanes)
        .op('i32.ge_u')
        .if(() => {
          writer.loop(position, bulk, side * vectors.lanes, () => {
            const places = Array.from({ length: side }, (_, i) =>
              i === 0
                ? position
                : writer
                    .get(position)
                    .i32(i * vectors.lanes)
                    .op('i32.add')
                    .keep('i32'),
            );
            const bodies = places.map(at => bodyAt(at, vectors.lanes));
            // One operation of all, then the next: each of them waits for itself only.
            values.forEach((_, id) => {
              for (const body of bodies) body.value(id);
            });
            places.forEach((at, i) => {
              write(at, bodies[i]!, vectors.lanes);
            });
          });
        });
    }
    if (whole4 > 0) writer.loop(position, end, vectors.lanes, () => place(vectors.lanes));
    if (whole4 < inner)
      tail(() => {
        writer.i32(whole4).set(position);
        place(inner - whole4);
      });
  };

  const position = writer.local('i32');
  if (outer.length === 0) {
    const zero = writer.local('i32');
    rows.start(zero);
    const end = writer.get(to).i32(whole4).get(to).i32(whole4).op('i32.lt_u', 'select').keep('i32');
    writer.get(from).set(position);
    row(position, end, emit => writer.get(to).i32(inner).op('i32.eq').if(emit));
    return { writer, slots, scratch: 0, units: inner, tile: tileElements, grain: wholeVectors };
  }
  const end = writer.local('i32');
  const at = writer.get(from).keep('i32');
  rows.start(from);
  writer.loop(at, to, 1, () => {
    writer.i32(0).set(position).i32(whole4).set(end);
    row(position, end, emit => emit());
    rows.next();
  });
  const units = outer.reduce((p, n) => p * n, 1);
  return { writer, slots, scratch: 0, units, tile: Math.max(1, Math.ceil(tileElements / inner)), grain: 1 };
};
