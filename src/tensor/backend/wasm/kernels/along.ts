/**
 * Kernels that reduce along the last axes: one row after another, vectors along the row. What needs the result of a
 * reduction walks through the row again while it is in the cache: softmax and layer norm are one kernel.
 */
import { depthOf, type Kernel, lengthsOf, type Reducer } from '../../../compile/kernel.js';
import { contiguous, reshaped, type View } from '../../../view.js';
import { FunctionWriter, type Local } from '../assembler.js';
import type { Value } from '../emitter.js';
import { Body, isDear, type KernelCode, lanesOf, parametersOf, slotsOf } from './body.js';
import { type Access, collapsed, Rows } from './cursors.js';
import { accumulatorOf, blockTerms, isArithmetic, partials, Reduction, spans } from './reducers.js';
import { Vectors } from './vectors.js';

const tileElements = 2 ** 14;

/** When each value is there: element values in a walk through the row, row values after one (−1: before the first). */
export const phasesOf = ({ values }: Kernel): readonly number[] => {
  const phases: number[] = [];
  values.forEach((value, id) => {
    if (value.kind === 'load' || value.kind === 'index') phases[id] = value.level === 'row' ? -1 : 0;
    else if (value.kind === 'reduce') {
      const operand = values[value.operand]!;
      phases[id] = phases[value.operand]! + (operand.level === 'row' ? 1 : 0);
    } else {
      phases[id] = value.operands.reduce(
        (phase, operand) =>
          Math.max(phase, phases[operand]! + (value.level === 'element' && values[operand]!.level === 'row' ? 1 : 0)),
        value.level === 'row' ? -1 : 0,
      );
    }
  });
  return phases;
};

/** Dear values of one walk that a later one needs: kept in scratch memory instead of being computed again. */
const keptValues = ({ values, stores }: Kernel, phases: readonly number[]): readonly number[] => {
  const kept = new Set<number>();
  const seen = new Set<string>();
  const visit = (id: number, phase: number): void => {
    const value = values[id]!;
    const key = `${id}@${phase}`;
    if (value.kind !== 'operation' || value.level === 'row' || seen.has(key)) return;
    seen.add(key);
    if (phases[id]! < phase && isDear(value.op)) kept.add(id);
    else for (const operand of value.operands) visit(operand, phase);
  };
  values.forEach((value, id) => {
    if (value.kind === 'reduce') visit(value.operand, phases[id]!);
  });
  for (const { value } of stores) visit(value, phases[value]!);
  return [...kept];
};

export const writeAlong = (kernel: Kernel): KernelCode => {
  const { values, stores, space } = kernel;
  const depth = depthOf(space);
  const slots = slotsOf(kernel);
  const { types, scratch, from, to } = parametersOf(slots);
  const writer = new FunctionWriter(types);
  const lanes = lanesOf(kernel);
  const rowLengths = lengthsOf(space, 'row');
  const shape = [...rowLengths, depth];
  const spreadRow = (view: View): View => ({
    shape,
    offset: view.offset,
    strides: [...view.strides, 0],
    valid: [...view.valid, null],
  });
  const ids = values.flatMap((value, id) => (value.kind === 'load' || value.kind === 'index' ? [id] : []));
  const reads = ids.map((id): Access => {
    const value = values[id]! as { view: View };
    const { kind, level, dtype } = values[id]!;
    return {
      argument: kind === 'load' ? slots.indexOf((values[id] as { slot: number }).slot) : null,
      dtype,
      view: level === 'row' ? spreadRow(value.view) : reshaped(value.view, shape)!,
    };
  });
  const reading = slots.length - stores.length;
  const writes = stores.map(({ value }, i): Access => {
    const { dtype, level } = values[value]!;
    const view = level === 'row' ? spreadRow(contiguous(rowLengths)) : contiguous(shape);
    return { argument: reading + i, dtype, view };
  });
  // The row stays as it is; the axes around it come together where they can.
  const outer = collapsed(
    rowLengths,
    [...reads, ...writes].map(access => ({
      ...access,
      view: { ...access.view, strides: access.view.strides.slice(0, -1), valid: access.view.valid.slice(0, -1) },
    })),
  );
  const accesses = outer.accesses.map((access, i) => {
    const { strides, valid } = [...reads, ...writes][i]!.view;
    const last = rowLengths.length;
    return {
      ...access,
      view: {
        ...access.view,
        strides: [...access.view.strides, strides[last]!],
        valid: [...access.view.valid, valid[last]!],
      },
    };
  });
  const axes = [...outer.lengths.keys()];
  const rows = new Rows(writer, accesses, axes, outer.lengths.length, [...outer.lengths, depth]);
  const vectors = new Vectors(writer, lanes);
  const phases = phasesOf(kernel);
  const kept = keptValues(kernel, phases);
  const keptBytes = Math.ceil(depth / partials) * (partials / lanes) * 16;
  const position = writer.local('i32');
  const zero = writer.local('i32');
  /** Bits of the lanes of what is kept. */
  const keptWidths = new Map<number, 32 | 64>();

  const row = (): void => {
    const known = new Map<number, Value>();
    ids.forEach((id, i) => {
      const cursor = rows.cursors[i]!;
      if (values[id]!.level === 'row')
        known.set(id, cursor.access.argument === null ? vectors.load(cursor, zero, lanes) : vectors.splat(cursor));
    });
    /** Values of a row that are there after a walk. */
    const settle = (phase: number): void => {
      const body = new Body(writer, kernel, id => known.get(id) ?? null);
      values.forEach((value, id) => {
        if (value.kind === 'operation' && value.level === 'row' && phases[id] === phase) known.set(id, body.value(id));
      });
    };
    settle(-1);
    const last = Math.max(...phases);
    for (let phase = 0; phase <= last; phase++) {
      walk(phase, known);
      settle(phase);
    }
    stores.forEach(({ value }, i) => {
      const cursor = rows.cursors[ids.length + i]!;
      if (values[value]!.level === 'row') vectors.store(cursor, zero, known.get(value)!, 1);
    });
  };

  const walk = (phase: number, known: Map<number, Value>): void => {
    const reductions = values.flatMap((value, id) =>
      value.kind === 'reduce' && phases[id] === phase
        ? [{ id, value, reduction: new Reduction(writer, value.op, value.dtype, lanes) }]
        : [],
    );
    const written = stores.flatMap(({ value }, i) =>
      values[value]!.level === 'element' && phases[value] === phase
        ? [{ value, cursor: rows.cursors[ids.length + i]! }]
        : [],
    );
    const saved = kept.filter(id => phases[id] === phase);
    if (reductions.length === 0 && written.length === 0 && saved.length === 0) return;
    // Without a sum there are no partial ones.
    const step = reductions.length > 0 ? partials : lanes;
    const accumulators = reductions.map(({ reduction, value }) => {
      const locals = Array.from({ length: (step / lanes) * spans(value.op, value.dtype, lanes) }, () =>
        writer.local('v128'),
      );
      reduction.reset(locals);
      return locals;
    });
    const fixed = new Map<number, Value>();
    ids.forEach((id, i) => {
      const cursor = rows.cursors[i]!;
      if (
        values[id]!.level === 'element' &&
        cursor.stride === 0 &&
        cursor.valid === null &&
        cursor.access.argument !== null
      )
        fixed.set(id, vectors.splat(cursor));
    });
    /** float32 that are nothing but added up become float64 as they are read. */
    const halves = (id: number, op: Reducer, at: Local): readonly Local[] | null => {
      const { kind, dtype } = values[id]!;
      if (kind !== 'load' || dtype !== 'float32' || !isArithmetic(op) || lanes !== 4) return null;
      return vectors.halves(rows.cursors[ids.indexOf(id)]!, at);
    };
    /** The elements from `position` on that are there, up to eight. */
    const place = (count: number): void => {
      for (let u = 0; u * lanes < count; u++) {
        const own = Math.min(lanes, count - u * lanes);
        const at =
          u === 0
            ? position
            : writer
                .get(position)
                .i32(u * lanes)
                .op('i32.add')
                .keep('i32');
        const slotInScratch = (id: number): void => {
          // Vectors are kept whole, sixteen bytes for each.
          writer
            .get(scratch)
            .get(at)
            .i32(lanes === 4 ? 2 : 3)
            .op('i32.shl', 'i32.add');
          writer.i32(kept.indexOf(id) * keptBytes).op('i32.add');
        };
        const body = new Body(writer, kernel, (id, value) => {
          const settled = known.get(id) ?? fixed.get(id);
          if (settled !== undefined) return settled;
          if (value.kind === 'operation') {
            if (phases[id]! >= phase || !kept.includes(id)) return null;
            slotInScratch(id);
            return { vector: writer.memory('v128.load').keep('v128'), dtype: value.dtype, width: keptWidths.get(id)! };
          }
          return vectors.load(rows.cursors[ids.indexOf(id)]!, at, own);
        });
        for (const id of saved) {
          const { vector, width } = body.value(id);
          keptWidths.set(id, width);
          slotInScratch(id);
          writer.get(vector).memory('v128.store');
        }
        for (const { value, cursor } of written) vectors.store(cursor, at, body.value(value), own);
        reductions.forEach(({ value, reduction }, i) => {
          const span = spans(value.op, value.dtype, lanes);
          const direct = own === lanes ? halves(value.operand, value.op, at) : null;
          (direct ?? reduction.terms(body.value(value.operand), own)).forEach((term, j) => {
            reduction.accumulate(accumulators[i]![u * span + j]!, term);
          });
        });
      }
    };
    const whole = Math.floor(depth / step) * step;
    const rest = depth - whole;
    const finish = (i: number): Local => reductions[i]!.reduction.finish(accumulators[i]!);
    const blocks = reductions.some(
      ({ value }) => accumulatorOf(value.op, value.dtype) === 'float64' && isArithmetic(value.op),
    );
    if (!blocks || depth <= blockTerms) {
      writer.i32(0).set(position);
      if (whole > 0) {
        const end = writer.i32(whole).keep('i32');
        writer.loop(position, end, step, () => place(step));
      }
      if (rest > 0) place(rest);
      reductions.forEach(({ id, reduction }, i) => {
        known.set(id, reduction.rounded([finish(i)]));
      });
      return;
    }
    const totals = reductions.map(({ reduction }) => writer.get(reduction.identity()).keep('v128'));
    const block = writer.i32(0).keep('i32');
    const end = writer.local('i32');
    const limit = writer.i32(depth).keep('i32');
    writer.loop(block, limit, blockTerms, () => {
      writer.get(block).i32(blockTerms).op('i32.add').tee(end).i32(whole).get(end).i32(whole);
      writer.op('i32.lt_u', 'select').set(end);
      writer.get(block).set(position);
      writer.loop(position, end, step, () => place(step));
      if (rest > 0)
        writer
          .get(end)
          .i32(whole)
          .op('i32.eq')
          .get(block)
          .i32(depth - blockTerms)
          .op('i32.ge_s', 'i32.and')
          .if(() => place(rest));
      reductions.forEach(({ reduction }, i) => {
        // Not by accumulating: the NaNs met are forgotten with the block.
        writer.get(reduction.combine(totals[i]!, finish(i))).set(totals[i]!);
        reduction.reset(accumulators[i]!);
      });
    });
    reductions.forEach(({ id, reduction }, i) => {
      known.set(id, reduction.rounded([totals[i]!]));
    });
  };

  const at = writer.get(from).keep('i32');
  rows.start(from);
  writer.loop(at, to, 1, () => {
    row();
    rows.next();
  });
  return {
    writer,
    slots,
    scratch: kept.length * keptBytes,
    units: rowLengths.reduce((p, n) => p * n, 1),
    tile: Math.max(1, Math.ceil(tileElements / depth)),
    grain: 1,
  };
};
