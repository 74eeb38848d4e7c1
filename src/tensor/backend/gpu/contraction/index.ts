/** Contractions on a device: shaders of our own where it runs them, kernels of gpu.js elsewhere. */
import type { Single } from '../../../compile/fuse.js';
import type { Kernel } from '../../../compile/kernel.js';
import type { Instruction } from '../../../compile/program.js';
import { sizeOf } from '../../../shape.js';
import type { View } from '../../../view.js';
import { canOperate } from '../language/operations.js';
import { scalarOfProgram } from '../language/scalars.js';
import { floatsOf, type Traits } from '../pass.js';
import { exact } from '../passes/indices.js';
import { kernelPasses } from '../passes/kernels.js';
import { type Sequence, type Value, writePass } from '../passes/sequence.js';
import type { Slots } from '../passes/slots.js';
import { describe } from './description.js';
import { commonAxes, type Epilogue } from './epilogue.js';
import { isWhole, plain, type Read } from './plain.js';
import { tiled } from './tiled.js';
import { tilingOf } from './tiles.js';

/** Whether the device computes it. */
export const contracts = ({ op, aval, inputAvals }: Instruction): boolean =>
  (op === 'dotGeneral' || op === 'conv') &&
  (aval.dtype === 'float32' ||
    ((aval.dtype === 'int32' || aval.dtype === 'uint32') &&
      (['mul', 'add'] as const).every(each => canOperate(each, {}, [aval.dtype, aval.dtype], aval.dtype)))) &&
  [aval, ...inputAvals].every(({ shape }) => sizeOf(shape) > 0);

/** Whether an operand is read in place through this view: through any. */
export const readsView = (instruction: Instruction, _view: View): boolean => contracts(instruction);

/** Buffers that a shader can have, of whatever kind. */
const mostBuffers = 8;

/** Whether a kernel behind it can be computed with its result. */
export const takesEpilogue = (traits: Traits, { instruction }: Single, kernel: Kernel): boolean => {
  const { aval, result } = instruction;
  const { space, values, stores } = kernel;
  if (!contracts(instruction) || commonAxes(aval.shape, kernel) === null) return false;
  if (space.some(({ reduced }) => reduced)) return false;
  const able = values.every(value => {
    if (value.level !== 'element' || floatsOf[value.dtype] !== 1) return false;
    if (value.kind === 'index') return sizeOf(aval.shape) < exact && sizeOf(value.view.shape) < exact;
    if (value.kind === 'load') return true;
    if (value.kind !== 'operation') return false;
    const dtypes = value.operands.map(operand => values[operand]!.dtype);
    return canOperate(value.op, value.params, dtypes, value.dtype);
  });
  if (!able || aval.dtype !== 'float32') return false;
  const loads = new Set(values.flatMap(value => (value.kind === 'load' && value.slot !== result ? [value.slot] : [])));
  // The product may be wanted, too.
  if (traits.shaders) return 2 + loads.size + stores.length + 1 <= mostBuffers;
  return stores.length === 1 && 2 + loads.size <= traits.reads;
};

/** The kernel behind a product that has been stored. */
const behind = (sequence: Sequence, { kernel, product, slots }: Epilogue, value: Value, floats: number) =>
  kernelPasses(sequence, kernel, {
    valueOf: slot => (slot === product ? value : slots.valueOf(slot)),
    floatsOf: slot => (slot === product ? floats : slots.floatsOf(slot)),
    scalarOf: slot => (slot === product ? null : slots.scalarOf(slot)),
  });

/**
 * The passes of a contraction: the product's buffer, if somebody wants it, and those of the epilogue's stores, by slot.
 */
export const contract = (
  sequence: Sequence,
  { instruction, operands, epilogue: chained }: Single,
  wantsProduct: boolean,
  slots: Slots,
): ReadonlyMap<number, Value> => {
  const { op: name, aval, result, inputAvals } = instruction;
  const { dtype } = inputAvals[0]!;
  const { traits } = sequence;
  const [lhs, rhs] = operands as [(typeof operands)[0], (typeof operands)[0]];
  const readOf = ({ base }: typeof lhs): Read => {
    const value = base === null ? null : slots.valueOf(base);
    if (base !== null && value !== null) return { value, floats: slots.floatsOf(base) };
    const scalar = base === null ? null : slots.scalarOf(base);
    if (scalar === null) throw new Error(`tenfold: ${name} reads what is nowhere; please report this`);
    const { index } = scalar;
    const pass = writePass(traits, { name, lengths: [], dtype, reads: [] }, code =>
      scalarOfProgram(code, dtype, index),
    );
    return { value: sequence.launch(pass, [])[0]!, floats: floatsOf[dtype] };
  };
  const reads = [readOf(lhs), readOf(rhs)] as const;
  const kernel = chained?.kernel;
  const epilogue: Epilogue | null = kernel === undefined ? null : { kernel, product: result, slots };
  const views = [lhs.view, rhs.view] as const;
  const size = sizeOf(aval.shape);
  const floats = size * floatsOf[dtype];
  const store =
    epilogue === null ? undefined : epilogue.kernel.stores.length === 1 ? epilogue.kernel.stores[0] : undefined;
  if (traits.shaders && dtype === 'float32') {
    const description = describe(instruction, views, true);
    const tiling = tilingOf(description, traits);
    if (tiling !== null)
      return tiled(sequence, {
        name,
        description,
        tiling,
        operands: reads,
        shape: aval.shape,
        product: wantsProduct || epilogue === null ? result : null,
        epilogue,
        behind,
      });
  }
  const description = describe(instruction, views, false);
  const common = { name, description, dtype, operands: reads };
  if (epilogue !== null && store !== undefined && !wantsProduct && isWhole(sequence, description, aval.shape))
    return new Map([[store.slot, plain(sequence, { ...common, epilogue })]]);
  const value = plain(sequence, { ...common, epilogue: null });
  return new Map([
    ...(wantsProduct || epilogue === null ? [[result, value] as const] : []),
    ...(epilogue === null ? [] : behind(sequence, epilogue, value, floats)),
  ]);
};
