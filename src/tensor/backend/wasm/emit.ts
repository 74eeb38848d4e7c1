import { type Kernel, lengthsOf } from '../../compile/kernel.js';
import type { FoldParams, WhileParams } from '../../primitives/signatures.js';
import { bytesIn, sizeOf } from '../../shape.js';
import type { Block } from './arena.js';
import { FunctionWriter, type Import, type Local } from './assembler.js';
import { scratchOf, writeContraction, writePreparation } from './contraction/index.js';
import { libraryOf } from './contraction/library.js';
import { finisher, producer } from './contraction/pieces.js';
import { usesFma } from './features.js';
import type { ContractionStep, LoopStep, Operand, Place, Plan, PreparationStep, RegionStep, Step } from './steps.js';
import { type Crew, meet, settle, share, solo } from './threads/crew.js';
import { isShared } from './threads/work.js';

type Outside = 'input' | 'output' | 'prepared';

/** What the function of a plan knows: where its arena begins within that of the program, and where inputs and outputs are. */
interface Frame extends Crew {
  readonly base: number;
  /** The address of scratch memory that the thread has for itself, as much as the plan says. */
  readonly scratch: Local;
  /** Leaves the address of an input, of an output, or of something prepared on the stack. */
  readonly outside: (place: { readonly kind: Outside; readonly index: number }) => void;
  readonly probe: Probe | undefined;
}

/** The parameter that every function has: the address of the program's arena. */
const arena: Local = 0;

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

/** The bytes of a program's table of addresses. Behind it begins the scratch memory of threads other than the first. */
export const tableBytes = (plan: Plan): number => 4 * Math.ceil((plan.inputs.length + plan.made.length) / 4) * 4;

/** The function of a program: (arena, table of addresses, number of the thread, number of threads). */
export const writeProgram = (plan: Plan, probe?: Probe): FunctionWriter => {
  const writer = new FunctionWriter(['i32', 'i32', 'i32', 'i32']);
  const [table, thread, threads] = [1, 2, 3];
  const inputs = plan.inputs.length;
  const outside: Frame['outside'] = ({ kind, index }) => {
    writer.get(table).memory('i32.load', 4 * (kind === 'input' ? index : inputs + index));
  };
  const { bytes, offset } = plan.own;
  writer.get(thread).i32(1).op('i32.sub').i32(bytes).op('i32.mul').get(table).i32(tableBytes(plan));
  writer.op('i32.add', 'i32.add').get(arena).i32(offset).op('i32.add');
  const scratch = writer.get(thread).op('select').keep('i32');
  const frame: Frame = { writer, base: 0, scratch, thread, threads, alone: false, since: 'nothing', outside, probe };
  writeSteps(frame, plan);
  // The first thread hands the results out: nobody may be at work on them.
  if (frame.since === 'shared') meet(frame);
  if (probe !== undefined) writeProbe(frame, probe, -1);
  return writer;
};

/** The function of a body: (arena, scratch, thread, threads, inputs…, outputs…, prepared…), and a call of it with these. */
const writeBody = (
  { base, alone, probe, ...caller }: Frame,
  plan: Plan,
  { offset }: Block,
): ((inputs: readonly Local[], outputs: readonly Local[], prepared: readonly Local[]) => void) => {
  const { inputs, made, wanted } = plan;
  const [scratch, thread, threads, first] = [1, 2, 3, 4];
  const begins = { input: first, output: first + inputs.length, prepared: first + inputs.length + made.length };
  const writer = new FunctionWriter(new Array<'i32'>(begins.prepared + wanted.length).fill('i32'));
  const outside: Frame['outside'] = ({ kind, index }) => {
    writer.get(begins[kind] + index);
  };
  const own = { writer, base: base + offset, scratch, thread, threads, outside, probe };
  const frame: Frame = { ...own, alone, since: 'nothing' };
  writeSteps(frame, plan);
  settle(frame);
  return (given, results, prepared) => {
    const all = [...given, ...results, ...prepared];
    caller.writer.get(arena, caller.scratch, caller.thread, caller.threads, ...all).call(writer);
  };
};

/** Only the first thread takes times, when what came before is done. */
const writeProbe = (frame: Frame, { callee }: Probe, number: number): void => {
  const { writer, thread } = frame;
  if (frame.since === 'shared') meet(frame);
  writer
    .get(thread)
    .op('i32.eqz')
    .if(() => writer.i32(number).call(callee));
};

const writeSteps = (frame: Frame, plan: Plan): void => {
  const { probe } = frame;
  for (const step of plan.steps) {
    if (probe !== undefined) writeProbe(frame, probe, probe.numberOf(step));
    if (isShared(step)) writeStep(frame, step);
    else solo(frame, () => writeStep(frame, step));
  }
};

const writeStep = (frame: Frame, step: Step): void => {
  const { writer } = frame;
  switch (step.kind) {
    case 'kernel':
      writeInTiles(frame, {
        ...step,
        ...step.code,
        addresses: step.operands.map(operand => () => operandAddress(frame, operand)),
        scratch: step.scratch,
        tile: step.tile,
      });
      break;
    case 'contraction':
      writeContractionStep(frame, step);
      break;
    case 'preparation':
      writePreparationStep(frame, step);
      break;
    case 'loop':
      writeLoopStep(frame, step);
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
};

/** What is called for some of its units at a time: with the addresses, that of scratch memory, and from and to which unit. */
interface InTiles {
  readonly writer: FunctionWriter;
  readonly units: number;
  readonly tile: number;
  readonly addresses: readonly (() => void)[];
  readonly scratch: Block;
}

/** A kernel for all its units, a tile at a time. */
const writeInTiles = (frame: Frame, { writer: callee, units, tile, addresses, scratch }: InTiles): void => {
  const { writer } = frame;
  if (units <= tile) {
    for (const address of addresses) address();
    blockAddress(frame, scratch);
    writer.i32(0).i32(units).call(callee);
    return;
  }
  const kept = addresses.map(address => {
    address();
    return writer.keep('i32');
  });
  let ownScratch = frame.scratch;
  if (frame.alone) {
    blockAddress(frame, scratch);
    ownScratch = writer.keep('i32');
  }
  const tiles = writer.i32(Math.ceil(units / tile)).keep('i32');
  const [from, to] = [writer.local('i32'), writer.local('i32')];
  const limit = writer.i32(units).keep('i32');
  share(frame, tiles, index => {
    writer.get(index).i32(tile).op('i32.mul').tee(from).i32(tile).op('i32.add').tee(to);
    writer.get(limit).get(to, limit).op('i32.lt_u', 'select').set(to);
    writer.get(...kept, ownScratch, from, to).call(callee);
  });
};

/** A kernel of a single primitive: in parts, or as a whole. */
const writeLoopStep = (frame: Frame, { kernel, operands, results, scratch, tile }: LoopStep): void => {
  const addresses = [
    ...operands.map(operand => () => operandAddress(frame, operand)),
    ...results.map(result => () => placeAddress(frame, result)),
  ];
  if (kernel.parts !== undefined) {
    writeInTiles(frame, { writer: kernel.writer, units: kernel.parts.count, tile, addresses, scratch });
    return;
  }
  for (const address of addresses) address();
  blockAddress(frame, scratch);
  frame.writer.call(kernel.writer);
};

/**
 * A contraction, in a function of its own: it has many local variables, and V8's first compiler looks at all of a function's
 * where paths meet.
 */
const writeContractionStep = (frame: Frame, step: ContractionStep): void => {
  const { writer: caller } = frame;
  const { contraction, left, right, out, scratch, prologue, epilogue, instruction, shared, prepared } = step;
  const library = libraryOf(usesFma());
  const pieces = [...(epilogue?.operands ?? []), ...(prologue?.operands ?? []).slice(0, -1)];
  const first = 7;
  const writer = new FunctionWriter(new Array<'i32'>(first + pieces.length).fill('i32'));
  const [leftAt, rightAt, outAt, common, own, thread, threads] = [0, 1, 2, 3, 4, 5, 6] as const;
  const addresses = { left: leftAt, right: rightAt, out: outAt, common, own };
  const given = pieces.map((_, i) => first + i);
  const count = epilogue?.operands.length ?? 0;
  const size = sizeOf(instruction.aval.shape);
  const finish = epilogue && finisher(writer, epilogue.code, outAt, size, given.slice(0, count));
  const produce = prologue && producer(writer, prologue.code, sizeOfSpace(prologue.kernel), given.slice(count));
  const crew: Crew = { writer, thread, threads, alone: frame.alone, since: 'nothing' };
  writeContraction(crew, contraction, addresses, library, { finish, produce, prepared: prepared !== null });
  settle(crew);

  settle(frame);
  for (const operand of [left, right]) operandAddress(frame, operand);
  placeAddress(frame, out);
  if (prepared === null) blockAddress(frame, scratch);
  else placeAddress(frame, prepared);
  if (shared) caller.get(frame.scratch);
  else {
    blockAddress(frame, scratch);
    if (prepared === null) caller.i32(scratchOf(contraction, library, prologue !== null).common).op('i32.add');
  }
  caller.get(frame.thread, frame.threads);
  for (const operand of pieces) operandAddress(frame, operand);
  caller.call(writer);
};

/** In a function of its own, for the same reason. */
const writePreparationStep = (frame: Frame, { contraction, left, out, scratch, shared }: PreparationStep): void => {
  const writer = new FunctionWriter(new Array<'i32'>(5).fill('i32'));
  const [kernel, common, own, thread, threads] = [0, 1, 2, 3, 4] as const;
  const crew: Crew = { writer, thread, threads, alone: frame.alone, since: 'nothing' };
  const addresses = { left: kernel, right: kernel, out: common, common, own };
  writePreparation(crew, contraction, addresses, libraryOf(usesFma()));
  settle(crew);

  settle(frame);
  operandAddress(frame, left);
  blockAddress(frame, out);
  if (shared) frame.writer.get(frame.scratch);
  else blockAddress(frame, scratch);
  frame.writer.get(frame.thread, frame.threads).call(writer);
};

const sizeOfSpace = ({ space }: Kernel): number => sizeOf(lengthsOf(space, 'element'));

const writeRegion = (frame: Frame, step: RegionStep): void => {
  const { writer } = frame;
  const bodies = step.bodies.map(body => writeBody(frame, body, step.arena));
  const kept = (address: () => void): Local => {
    address();
    return writer.keep('i32');
  };
  const given = step.operands.map(operand => kept(() => operandAddress(frame, operand)));
  const results = step.results.map(place => kept(() => placeAddress(frame, place)));
  const prepared = step.prepared.map(places => places.map(place => kept(() => placeAddress(frame, place))));
  const { op, params, outputs, inputAvals } = step.instruction;
  const copy = (to: readonly Local[], from: readonly Local[]): void => {
    solo(frame, () => {
      from.forEach((source, i) => {
        const bytes = bytesIn(outputs![i]!);
        if (bytes > 0) writer.get(to[i]!, source).i32(bytes).memoryCopy();
      });
    });
  };
  /** A body ends with a meeting, or alone, and begins as after one. */
  const run = (body: number, inputs: readonly Local[], outs: readonly Local[]): void => {
    settle(frame);
    bodies[body]!(inputs, outs, prepared[body]!);
  };
  /** What all threads decide by: it is there for all, and all have read it before anybody writes again. */
  const read = (address: Local, load: 'i32.load' | 'i32.load8_u'): Local => {
    settle(frame);
    const value = writer.get(address).memory(load).keep('i32');
    meet(frame);
    return value;
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
    const index = read(given[0]!, 'i32.load');
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
    copy(results, first);
    first.forEach((_, i) => {
      writer.get(results[i]!).tee(current[i]!).set(spare[i]!).get(others[i]!).set(next[i]!);
    });
    const flag = kept(() => blockAddress(frame, step.flag));
    settle(frame);
    writer.while(
      () => {
        run(0, [...given.slice(0, testCaptures), ...current], [flag]);
        writer.get(read(flag, 'i32.load8_u'));
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
        .if(() => copy(results, current));
    return;
  }
  const { length, captures, carries, reverse } = params as unknown as FoldParams;
  const first = given.slice(captures, captures + carries);
  if (length === 0) {
    copy(results, first);
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
  settle(frame);
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
