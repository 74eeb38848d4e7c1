/**
 * From a program to steps: which kernels and functions run, in which order, on which places in memory. A plan knows
 * its memory before it runs.
 */

import { inBlocks } from '../../compile/blocks.js';
import { chain } from '../../compile/chain.js';
import type { Source } from '../../compile/cluster.js';
import { type Fused, fuse, type Single, type Target } from '../../compile/fuse.js';
import type { Kernel } from '../../compile/kernel.js';
import type { Instruction, Program } from '../../compile/program.js';
import { simplify } from '../../compile/simplify.js';
import { bytesOf } from '../../dtype.js';
import type { FoldParams, WhileParams } from '../../primitives/signatures.js';
import { type Aval, bytesIn, sizeOf } from '../../shape.js';
import { type Block, place } from './arena.js';
import { contractionOf, flopsOf, madeUnitOf, preparedOf, readsView, scratchOf, unitOf } from './contraction/index.js';
import { libraryOf } from './contraction/library.js';
import { type PieceCode, pieceOf } from './contraction/pieces.js';
import { usesFma } from './features.js';
import { type KernelCode, writeKernel } from './kernels/index.js';
import { loopKernelOf } from './loops/loops.js';
import type { Operand, PieceStep, Place, Plan, Result, Step, Wanted } from './steps.js';
import { isWorthSharing, sharingOf, sharingOfParts } from './threads/work.js';

const scalarBytes = 16;

/** Stands for the place of something that is never in memory as a whole. */
const nowhere: Operand = { place: { kind: 'scalar', index: 0 }, offset: 0 };

/** Scratch memory of different threads shares no lines of the cache. */
const ownLine = 128;

const regions: readonly string[] = ['call', 'fold', 'cond', 'while'];

/** Bytes that are prepared for a loop at most. */
const mostPrepared = 2 ** 25;

const target: Target = {
  readsView: (instruction, _, view) => readsView(instruction, view),
};

/** Where the scalars of each instruction's bodies begin among those of the run: behind the program's own, in its order. */
const bodyScalars = ({ scalars, instructions }: Program, base: number): ReadonlyMap<number, readonly number[]> => {
  let next = base + scalars.length;
  return new Map(
    instructions.map(({ result, bodies }) => [
      result,
      bodies.map(body => {
        const own = next;
        next += body.scalarCount;
        return own;
      }),
    ]),
  );
};

/** Plans a program. */
export const planOf = (program: Program): Plan => planned(program, 0, null);

/**
 * A body is planned like a program, but for its outputs.
 *
 * @param constant the inputs of a body that are the same in all rounds of a loop; null if it is no body
 */
const planned = (program: Program, scalarBase: number, constant: ReadonlySet<number> | null): Plan => {
  const isBody = constant !== null;
  const fused = fuse(simplify(inBlocks(program)), target);
  const scalarsOf = bodyScalars(program, scalarBase);
  const blocks: Block[] = [];
  const places = new Map<string, Place>();
  const keyOf = (slot: number): string => {
    const part = fused.parts.get(slot);
    return part === undefined ? `${slot}` : `${part.tuple}.${part.index}`;
  };
  program.inputs.forEach((_, index) => {
    places.set(`${index}`, { kind: 'input', index });
  });
  program.scalars.forEach(({ slot }, i) => {
    places.set(`${slot}`, { kind: 'scalar', index: scalarBase + i });
  });

  const { made, results, claims, copies } = outputsOf(program, fused, isBody, keyOf);
  const steps: Step[] = [];
  const block = (bytes: number): Block => {
    const own: Block = { bytes, first: steps.length, last: steps.length, offset: 0 };
    blocks.push(own);
    return own;
  };
  let ownBytes = 0;
  /** Asks for so much scratch memory for each thread. */
  const own = (bytes: number): void => {
    ownBytes = Math.max(ownBytes, bytes);
  };
  /** A place for something the next step makes. */
  const fresh = (key: string, aval: Aval): Place => {
    const claim = claims.get(key);
    const own: Place =
      claim === undefined ? { kind: 'arena', block: block(bytesIn(aval)) } : { kind: 'output', index: claim };
    places.set(key, own);
    return own;
  };
  const operand = ({ base, view, dtype }: Source): Operand => {
    const at = places.get(keyOf(base!))!;
    if (at.kind === 'arena') at.block.last = steps.length;
    return { place: at, offset: view.offset * bytesOf[dtype] };
  };

  /** The places of what a kernel reads and writes, which stay until the next step is over. */
  const operandsOf = ({ slots }: KernelCode): readonly Operand[] =>
    slots.map(slot => {
      const at = places.get(keyOf(slot));
      if (at === undefined) return nowhere;
      if (at.kind === 'arena') at.block.last = Math.max(at.block.last, steps.length);
      return { place: at, offset: 0 };
    });
  const library = libraryOf(usesFma());
  const pieces = new Map<Kernel, PieceCode>();
  const inUnits = (kernel: Kernel, unit: number | null): boolean => {
    const code = unit === null ? null : pieceOf(kernel, unit);
    if (code !== null) pieces.set(kernel, code);
    return code !== null;
  };
  const units = chain(fused, {
    behind: ({ instruction, operands }, kernel) => {
      const contraction = contractionOf(instruction, operands);
      return contraction !== null && inUnits(kernel, unitOf(contraction, library));
    },
    before: ({ instruction, operands }, kernel, index) => {
      const contraction = contractionOf(instruction, operands);
      return contraction !== null && inUnits(kernel, madeUnitOf(contraction, index, library));
    },
  });
  const pieceStep = (kernel: Kernel | undefined): PieceStep | null => {
    const code = kernel && pieces.get(kernel);
    return code === undefined ? null : { kernel: kernel!, code, operands: operandsOf(code.code) };
  };
  /** The place of a contraction's result: that of a result of its epilogue, where nobody else reads it. */
  const placeOf = ({ instruction, epilogue }: Single): Place => {
    const { result, aval } = instruction;
    if (epilogue === undefined) return fresh(`${result}`, aval);
    const { kernel, alone } = epilogue;
    for (const { slot } of kernel.stores) fresh(`${slot}`, fused.avals.get(slot)!);
    const store = kernel.stores.find(({ value }) => kernel.values[value]!.dtype === aval.dtype);
    if (!alone || store === undefined) return fresh(`${result}`, aval);
    const place = places.get(`${store.slot}`)!;
    places.set(`${result}`, place);
    return place;
  };

  const isConstant = ({ place }: Operand): boolean => place.kind === 'input' && constant?.has(place.index) === true;
  const wanted = new Map<string, Wanted>();
  let wantedBytes = 0;
  /** Asks for something to be made before the loop; null where it has to be made here. */
  const want = (each: Wanted): Place | null => {
    if (!isConstant(each.left)) return null;
    const key = JSON.stringify(each);
    if (!wanted.has(key)) {
      if (wantedBytes + each.bytes > mostPrepared) return null;
      wantedBytes += each.bytes;
      wanted.set(key, each);
    }
    return { kind: 'prepared', index: [...wanted.keys()].indexOf(key) };
  };
  /** Makes what a body wants, or has it made further out. */
  const prepare = (each: Wanted, source: Source): Place => {
    const from = operand(source);
    const left = { place: from.place, offset: from.offset + each.left.offset };
    const further = want({ ...each, left });
    if (further !== null) return further;
    const { contraction, bytes, shared } = each;
    const scratch = scratchOf(contraction, library, false).own;
    if (shared) own(scratch);
    const out = block(bytes);
    steps.push({ kind: 'preparation', contraction, left, out, scratch: block(shared ? 0 : scratch), shared });
    return { kind: 'arena', block: out };
  };

  const region = ({ instruction, operands }: Single): void => {
    const { result } = instruction;
    const outputs = instruction.outputs!;
    const bodies = instruction.bodies.map((body, i) => {
      const { first, same } = capturesOf(instruction, i);
      const inputs = body.inputs.map((_, input) => input);
      const isSame = (input: number): boolean =>
        same === null ? isConstant(operand(operands[first + input]!)) : input < same;
      return planned(body, scalarsOf.get(result)![i]!, new Set(inputs.filter(isSame)));
    });
    // The same operand may be several inputs.
    const known = new Map<string, Place>();
    const prepared = bodies.map((body, i) =>
      body.wanted.map(each => {
        const source = operands[capturesOf(instruction, i).first + indexOf(each.left)]!;
        const offset = source.view.offset * bytesOf[source.dtype] + each.left.offset;
        const key = JSON.stringify([keyOf(source.base!), offset, each.contraction, each.shared]);
        const place = known.get(key) ?? prepare(each, source);
        known.set(key, place);
        return place;
      }),
    );
    for (const place of prepared.flat()) if (place.kind === 'arena') place.block.last = steps.length;
    for (const body of bodies) own(body.own.bytes);
    const carries = carriesOf(instruction);
    steps.push({
      kind: 'region',
      instruction,
      bodies,
      operands: operands.map(operand),
      prepared,
      results: outputs.map((each, index) => fresh(`${result}.${index}`, each)),
      others: outputs.slice(0, carries).map(aval => block(bytesIn(aval))),
      arena: block(Math.max(0, ...bodies.map(({ bytes }) => bytes))),
      flag: block(16),
    });
  };

  const single = (unit: Single): void => {
    const { instruction, operands, epilogue, prologue } = unit;
    const { aval, outputs, result, inputAvals } = instruction;
    if (regions.includes(instruction.op)) {
      region(unit);
      return;
    }
    // What a kernel in front makes is nowhere: its address serves to count from.
    const given = operands.map((source, i) => (i === prologue?.operand ? nowhere : operand(source)));
    const contraction = contractionOf(instruction, operands);
    if (contraction !== null) {
      const bytes = scratchOf(contraction, library, prologue !== undefined);
      const shared = isWorthSharing(flopsOf(contraction));
      const [left, right] = (contraction.leftOperand === 1 ? [given[1], given[0]] : given) as [Operand, Operand];
      const ready = preparedOf(contraction, library);
      const prepared = ready && want({ contraction: ready, left, bytes: bytes.common, shared });
      if (shared) own(bytes.own);
      const common = prepared === null ? bytes.common : 0;
      const scratch = block(shared ? common : common + bytes.own);
      const out = placeOf(unit);
      steps.push({
        kind: 'contraction',
        instruction,
        contraction,
        left,
        right,
        out,
        scratch,
        shared,
        prepared,
        epilogue: pieceStep(epilogue?.kernel),
        prologue: pieceStep(prologue?.kernel),
      });
      return;
    }
    const results = outputs?.map((each, i) => fresh(`${result}.${i}`, each)) ?? [fresh(`${result}`, aval)];
    const kernel = loopKernelOf(instruction);
    if (kernel !== null) {
      const { tile, shared } = sharingOfParts(kernel.parts);
      if (shared) own(kernel.scratch);
      const scratch = block(shared ? 0 : kernel.scratch);
      steps.push({ kind: 'loop', instruction, kernel, operands: given, results, scratch, tile, shared });
    } else if (sizeOf(aval.shape) > 0)
      throw new Error(`tenfold: no kernel for ${instruction.op} of ${inputAvals.length} operands; please report this`);
  };

  for (const unit of units) {
    if (unit.kind === 'single') {
      single(unit);
      continue;
    }
    const { kernel } = unit;
    const empty = kernel.space.some(({ length }) => length === 0);
    const writes = new Set(kernel.stores.map(({ slot }) => slot));
    for (const slot of writes) fresh(`${slot}`, fused.avals.get(slot)!);
    if (empty) continue;
    const code = writeKernel(kernel);
    const operands = operandsOf(code);
    const { tile, shared } = sharingOf(kernel, code);
    if (shared) own(code.scratch);
    steps.push({ kind: 'kernel', kernel, code, operands, scratch: block(shared ? 0 : code.scratch), tile, shared });
  }
  for (const { source, to } of copies) {
    const from = operand(source);
    const bytes = bytesIn({ shape: source.view.shape, dtype: source.dtype });
    steps.push({ kind: 'copy', from, to: { kind: 'output', index: to }, bytes });
  }
  const scalars = isBody ? 0 : scalarBytes * program.scalarCount;
  const scratch: Block = { bytes: ownLine * Math.ceil(ownBytes / ownLine), first: 0, last: steps.length, offset: 0 };
  if (!isBody && scratch.bytes > 0) blocks.push(scratch);
  const bytes = scalars + place(blocks, scalars);
  return { inputs: program.inputs, wanted: [...wanted.values()], steps, made, results, bytes, own: scratch };
};

interface Outputs {
  readonly made: readonly Aval[];
  readonly results: readonly Result[];
  /** What is made straight into an output, by key. */
  readonly claims: ReadonlyMap<string, number>;
  /** What has to be copied to one: inputs and scalars handed through by a body, and what it returns twice. */
  readonly copies: readonly { readonly source: Source; readonly to: number }[];
}

const outputsOf = (program: Program, fused: Fused, isBody: boolean, keyOf: (slot: number) => string): Outputs => {
  const claims = new Map<string, number>();
  const made: Aval[] = [];
  const copies: { source: Source; to: number }[] = [];
  const tuples = new Map(
    program.instructions.flatMap(({ result, outputs }) => (outputs === null ? [] : [[result, outputs] as const])),
  );
  const given = program.inputs.length;
  const makes = (key: string, aval: Aval): Result => {
    const known = claims.get(key);
    if (known !== undefined) return { kind: 'made', index: known };
    claims.set(key, made.length);
    made.push(aval);
    return { kind: 'made', index: made.length - 1 };
  };
  const results = fused.outputs.map((source): Result => {
    const { view, dtype } = source;
    const base = source.base!;
    const aval = { shape: view.shape, dtype };
    const tuple = tuples.get(base);
    if (tuple !== undefined) return tuple.map((each, index) => makes(`${base}.${index}`, each));
    if (!isBody) return base < given ? { kind: 'input', index: base } : makes(keyOf(base), aval);
    // Every output of a body has a buffer of its own.
    const taken = base < given || claims.has(keyOf(base)) || program.scalars.some(({ slot }) => slot === base);
    if (!taken) return makes(keyOf(base), aval);
    copies.push({ source, to: made.length });
    made.push(aval);
    return { kind: 'made', index: made.length - 1 };
  });
  return { made, results, claims, copies };
};

/** How many of the results of a region are carried from step to step. */
const carriesOf = ({ op, params, outputs }: Instruction): number =>
  op === 'fold' ? (params.carries as number) : op === 'while' ? outputs!.length : 0;

/**
 * Of a body: which operand of its region its first input is, and how many of the first inputs are the same in all rounds; null where
 * there is one round.
 */
const capturesOf = (
  { op, params }: Instruction,
  body: number,
): { readonly first: number; readonly same: number | null } => {
  if (op === 'fold') return { first: 0, same: (params as unknown as FoldParams).captures };
  if (op !== 'while') return { first: op === 'cond' ? 1 : 0, same: null };
  const { testCaptures, bodyCaptures } = params as unknown as WhileParams;
  return body === 0 ? { first: 0, same: testCaptures } : { first: testCaptures, same: bodyCaptures };
};

const indexOf = ({ place }: Operand): number => (place as Extract<Place, { readonly kind: 'input' }>).index;
