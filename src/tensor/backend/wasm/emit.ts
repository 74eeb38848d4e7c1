import type { FoldParams, WhileParams } from '../../primitives/signatures.js';
import { bytesIn } from '../../shape.js';
import type { Block } from './arena.js';
import { FunctionWriter, type Import, type Local } from './assembler.js';
import { blockColumns, blockRows, libraryImports } from './library.js';
import type { KernelStep, Operand, Place, Plan, ProductStep, RegionStep } from './plan.js';
import { isDirect, panelBytes } from './product.js';

/** What the function of a plan knows: where its arena begins within that of the program, and where inputs and outputs are. */
interface Frame {
  readonly writer: FunctionWriter;
  readonly base: number;
  /** Leaves the address of an input or output on the stack. */
  readonly outside: (place: { readonly kind: 'input' | 'output'; readonly index: number }) => void;
  readonly probe: Probe | undefined;
}

/** The parameter that every function has: the address of the program's arena. */
const arena: Local = 0;
const table: Local = 1;

const blockAddress = ({ writer, base }: Frame, { offset }: Block): void => {
  writer
    .get(arena)
    .i32(base + offset)
    .op('i32.add');
};

const placeAddress = (frame: Frame, place: Place): void => {
  if (place.kind === 'arena') blockAddress(frame, place.block);
  else if (place.kind === 'scalar')
    frame.writer
      .get(arena)
      .i32(16 * place.index)
      .op('i32.add');
  else frame.outside(place);
};

const operandAddress = (frame: Frame, { place, offset }: Operand): void => {
  placeAddress(frame, place);
  if (offset !== 0) frame.writer.i32(offset).op('i32.add');
};

/** A function to be called before each step with its number, and with −1 at the end; for measuring. */
export interface Probe {
  readonly callee: Import;
  readonly numberOf: (step: Plan['steps'][number]) => number;
}

/** The function of a program: (arena, table of addresses). */
export const writeProgram = (plan: Plan, probe?: Probe): FunctionWriter => {
  const writer = new FunctionWriter(['i32', 'i32']);
  const inputs = plan.inputs.length;
  const outside: Frame['outside'] = ({ kind, index }) => {
    writer.get(table).memory('i32.load', 4 * (kind === 'input' ? index : inputs + index));
  };
  writeSteps({ writer, base: 0, outside, probe }, plan);
  if (probe !== undefined) writer.i32(-1).call(probe.callee);
  return writer;
};

/** The function of a body: (arena, inputs…, outputs…). */
const writeBody = (plan: Plan, base: number, probe: Probe | undefined): FunctionWriter => {
  const inputs = plan.inputs.length;
  const writer = new FunctionWriter(new Array<'i32'>(1 + inputs + plan.made.length).fill('i32'));
  const outside: Frame['outside'] = ({ kind, index }) => {
    writer.get(1 + (kind === 'input' ? index : inputs + index));
  };
  writeSteps({ writer, base, outside, probe }, plan);
  return writer;
};

const writeSteps = (frame: Frame, plan: Plan): void => {
  const { writer, probe } = frame;
  for (const step of plan.steps) {
    if (probe !== undefined) writer.i32(probe.numberOf(step)).call(probe.callee);
    switch (step.kind) {
      case 'kernel':
        writeKernelCalls(frame, step);
        break;
      case 'product':
        writeProduct(frame, step);
        break;
      case 'loop':
        for (const operand of step.operands) operandAddress(frame, operand);
        placeAddress(frame, step.out);
        blockAddress(frame, step.scratch);
        writer.call(step.kernel.writer);
        break;
      case 'region':
        writeRegion(frame, step);
        break;
      default:
        if (step.bytes === 0) break;
        placeAddress(frame, step.to);
        operandAddress(frame, step.from);
        writer.i32(step.bytes).memoryCopy();
    }
  }
};

/** A kernel for all its units, a tile at a time. */
const writeKernelCalls = (frame: Frame, { code, operands, scratch }: KernelStep): void => {
  const { writer } = frame;
  const { units, tile } = code;
  if (units <= tile) {
    for (const operand of operands) operandAddress(frame, operand);
    blockAddress(frame, scratch);
    writer.i32(0).i32(units).call(code.writer);
    return;
  }
  const addresses = operands.map(operand => {
    operandAddress(frame, operand);
    return writer.keep('i32');
  });
  blockAddress(frame, scratch);
  const scratchAddress = writer.keep('i32');
  const from = writer.i32(0).keep('i32');
  const limit = writer.i32(units).keep('i32');
  const to = writer.local('i32');
  writer.loop(from, limit, tile, () => {
    writer.get(from).i32(tile).op('i32.add').tee(to).get(limit).get(to, limit).op('i32.lt_u', 'select').set(to);
    writer.get(...addresses, scratchAddress, from, to).call(code.writer);
  });
};

const writeProduct = (frame: Frame, { product, lhs, rhs, out, scratch }: ProductStep): void => {
  const { writer } = frame;
  const { batch, rows, columns, depth } = product;
  const sizes = panelBytes(product);
  blockAddress(frame, scratch);
  const a = writer.keep('i32');
  const b = writer.get(a).i32(sizes.a).op('i32.add').keep('i32');
  const edge = writer.get(b).i32(sizes.b).op('i32.add').keep('i32');
  const [left, right, to] = [
    () => operandAddress(frame, lhs),
    () => operandAddress(frame, rhs),
    () => placeAddress(frame, out),
  ].map(address => {
    address();
    return writer.keep('i32');
  }) as [Local, Local, Local];
  const direct = isDirect(product);
  const once = (): void => {
    writer.get(left).i32(product.lhs[1]).i32(product.lhs[2]).i32(rows).i32(depth).i32(blockRows).get(a);
    writer.call(libraryImports.pack);
    if (!direct) {
      writer.get(right).i32(product.rhs[1]).i32(product.rhs[2]).i32(columns).i32(depth).i32(blockColumns).get(b);
      writer.call(libraryImports.pack);
    }
    writer
      .get(a, direct ? right : b, to)
      .i32(rows)
      .i32(columns)
      .i32(depth)
      .get(edge);
    writer.i32(4 * blockColumns * (direct ? 1 : depth)).i32(direct ? product.rhs[2] : 4 * blockColumns);
    writer.call(libraryImports.multiply);
  };
  if (batch === 1) {
    once();
    return;
  }
  const counter = writer.i32(0).keep('i32');
  const limit = writer.i32(batch).keep('i32');
  writer.loop(counter, limit, 1, () => {
    once();
    writer.get(left).i32(product.lhs[0]).op('i32.add').set(left);
    writer.get(right).i32(product.rhs[0]).op('i32.add').set(right);
    writer
      .get(to)
      .i32(rows * columns * 4)
      .op('i32.add')
      .set(to);
  });
};

const writeRegion = (frame: Frame, step: RegionStep): void => {
  const { writer, base } = frame;
  const bodies = step.bodies.map(body => writeBody(body, base + step.arena.offset, frame.probe));
  const kept = (address: () => void): Local => {
    address();
    return writer.keep('i32');
  };
  const given = step.operands.map(operand => kept(() => operandAddress(frame, operand)));
  const results = step.results.map(place => kept(() => placeAddress(frame, place)));
  const { op, params, outputs, inputAvals } = step.instruction;
  const copy = (to: Local, from: Local, bytes: number): void => {
    if (bytes > 0) writer.get(to, from).i32(bytes).memoryCopy();
  };
  const run = (body: number, inputs: readonly Local[], outs: readonly Local[]): void => {
    writer.get(arena, ...inputs, ...outs).call(bodies[body]!);
  };
  const others = step.others.map(other => kept(() => blockAddress(frame, other)));
  const [current, next, spare] = [0, 1, 2].map(() => others.map(() => writer.local('i32'))) as [
    Local[],
    Local[],
    Local[],
  ];
  /** What was written is read next, and the buffers take turns. */
  const turn = (): void => {
    others.forEach((_, i) => {
      writer.get(next[i]!).set(current[i]!);
      writer.get(spare[i]!).set(next[i]!);
      writer.get(current[i]!).set(spare[i]!);
    });
  };

  if (op === 'call') {
    run(0, given, results);
    return;
  }
  if (op === 'cond') {
    const index = writer.get(given[0]!).memory('i32.load').keep('i32');
    const choose = (branch: number): void => {
      if (branch === bodies.length - 1) run(branch, given.slice(1), results);
      else
        writer
          .get(index)
          .i32(branch)
          .op('i32.le_s')
          .if(
            () => run(branch, given.slice(1), results),
            () => choose(branch + 1),
          );
    };
    choose(0);
    return;
  }
  if (op === 'while') {
    const { testCaptures, bodyCaptures } = params as unknown as WhileParams;
    const first = given.slice(testCaptures + bodyCaptures);
    first.forEach((from, i) => {
      copy(results[i]!, from, bytesIn(outputs![i]!));
      writer.get(results[i]!).tee(current[i]!).set(spare[i]!).get(others[i]!).set(next[i]!);
    });
    const flag = kept(() => blockAddress(frame, step.flag));
    writer.while(
      () => {
        run(0, [...given.slice(0, testCaptures), ...current], [flag]);
        writer.get(flag).memory('i32.load8_u');
      },
      () => {
        run(1, [...given.slice(testCaptures, testCaptures + bodyCaptures), ...current], next);
        turn();
      },
    );
    const [one] = current;
    if (one !== undefined)
      writer
        .get(one, results[0]!)
        .op('i32.ne')
        .if(() => {
          current.forEach((from, i) => {
            copy(results[i]!, from, bytesIn(outputs![i]!));
          });
        });
    return;
  }
  const { length, captures, carries, reverse } = params as unknown as FoldParams;
  const first = given.slice(captures, captures + carries);
  if (length === 0) {
    first.forEach((from, i) => {
      copy(results[i]!, from, bytesIn(outputs![i]!));
    });
    return;
  }
  // Steps write to one buffer and the other in turn, so that the last one writes to the result.
  first.forEach((from, i) => {
    const [now, then] = length % 2 === 1 ? [results[i]!, others[i]!] : [others[i]!, results[i]!];
    writer.get(from).set(current[i]!).get(now).set(next[i]!).get(then).set(spare[i]!);
  });
  /** A sequence's or result's element of the first step, and the way to the next. */
  const along = (start: Local, bytes: number): { readonly at: Local; readonly step: number } => ({
    at: writer
      .get(start)
      .i32(reverse ? bytes * (length - 1) : 0)
      .op('i32.add')
      .keep('i32'),
    step: reverse ? -bytes : bytes,
  });
  const sequences = given
    .slice(captures + carries)
    .map((start, i) => along(start, bytesIn(inputAvals[captures + carries + i]!) / length));
  const stacked = results.slice(carries).map((start, i) => along(start, bytesIn(outputs![carries + i]!) / length));
  const counter = writer.i32(0).keep('i32');
  const limit = writer.i32(length).keep('i32');
  writer.loop(counter, limit, 1, () => {
    run(
      0,
      [...given.slice(0, captures), ...current, ...sequences.map(({ at }) => at)],
      [...next, ...stacked.map(({ at }) => at)],
    );
    turn();
    for (const { at, step: by } of [...sequences, ...stacked])
      if (by !== 0) writer.get(at).i32(by).op('i32.add').set(at);
  });
};
