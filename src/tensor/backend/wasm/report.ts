/** What a plan does, in words and numbers. */
import { depthOf, type Kernel, type KernelValue, lengthsOf, type OperationValue } from '../../compile/kernel.js';
import { bytesOf } from '../../dtype.js';
import type { ConvParams, FoldParams } from '../../primitives/signatures.js';
import { bytesIn, showAval, sizeOf } from '../../shape.js';
import type { StepReport } from '../backend.js';
import { flopsOf } from './contraction/index.js';
import { isCalledByLane } from './scalar-code.js';
import type { ContractionStep, Plan, Step } from './steps.js';

const spaceSize = (kernel: Kernel, { level }: KernelValue): number => {
  const whole = kernel.space.reduce((product, { length }) => product * length, 1);
  return level === 'element' ? whole : whole / depthOf(kernel.space);
};

/** Elements of a buffer that a view can reach at most, and no more than the space has. */
const readBytes = (kernel: Kernel, value: KernelValue): number => {
  if (value.kind !== 'load') return 0;
  const { shape, strides } = value.view;
  const distinct = shape.reduce((product, length, axis) => (strides[axis] === 0 ? product : product * length), 1);
  return Math.min(distinct, spaceSize(kernel, value)) * bytesOf[value.dtype];
};

const isMoving = (op: string): boolean => op === 'copy' || op === 'cast' || op === 'select';

const isUniform = (value: KernelValue): boolean =>
  value.kind === 'load' && value.view.strides.every(stride => stride === 0);

/** Whether JavaScript computes an operation, element by element. */
const isByLane = (kernel: Kernel, { op, params, operands, dtype }: OperationValue): boolean => {
  const given = operands.map(id => ({ dtype: kernel.values[id]!.dtype, uniform: isUniform(kernel.values[id]!) }));
  return isCalledByLane(op, params, given, dtype);
};

const kernelWork = (kernel: Kernel): Pick<StepReport, 'name' | 'shape' | 'flops' | 'bytes'> => {
  const names = kernel.values.flatMap(value => {
    if (value.kind === 'operation') return [isByLane(kernel, value) ? `${value.op}[js]` : value.op];
    return value.kind === 'reduce' ? [value.op] : [];
  });
  const flops = kernel.values.reduce((sum, value) => {
    if (value.kind === 'operation') return isMoving(value.op) ? sum : sum + spaceSize(kernel, value);
    return value.kind === 'reduce' ? sum + spaceSize(kernel, { ...value, level: 'element' }) : sum;
  }, 0);
  const read = kernel.values.reduce((sum, value) => sum + readBytes(kernel, value), 0);
  const written = kernel.stores.reduce((sum, { value }) => {
    const stored = kernel.values[value]!;
    return sum + spaceSize(kernel, stored) * bytesOf[stored.dtype];
  }, 0);
  const space = kernel.space.map(({ length, reduced }) => `${length}${reduced ? '*' : ''}`).join(' × ');
  const dtypes = [...new Set(kernel.stores.map(({ value }) => kernel.values[value]!.dtype))].join(', ');
  return { name: names.join(' '), shape: `${dtypes} ${space === '' ? '1' : space}`, flops, bytes: read + written };
};

const contractionWork = ({
  instruction,
  contraction,
}: ContractionStep): Pick<StepReport, 'name' | 'shape' | 'flops' | 'bytes'> => {
  const { inputAvals, aval, params } = instruction;
  const flops = flopsOf(contraction);
  const bytes = inputAvals.reduce((sum, each) => sum + bytesIn(each), bytesIn(aval));
  if (contraction.kind === 'dot') {
    const { batch, leftOperand, depth } = contraction;
    const many = batch.lengths.reduce((product, length) => product * length, 1);
    const [rows, columns] = [contraction.rows, contraction.columns];
    const [m, n] = leftOperand === 0 ? [rows, columns] : [columns, rows];
    const shape = `float32 ${many > 1 ? `${many} × ` : ''}${m} × ${depth} · ${depth} × ${n}`;
    return { name: 'matmul', shape, flops, bytes };
  }
  const { of } = params as unknown as ConvParams;
  return {
    name: of === 'output' ? 'conv' : `conv gradient of the ${of}`,
    shape: `${inputAvals.map(showAval).join(', ')} → ${showAval(aval)}`,
    flops,
    bytes,
  };
};

const workOf = (step: Step): Pick<StepReport, 'name' | 'shape' | 'flops' | 'bytes'> => {
  switch (step.kind) {
    case 'kernel':
      return kernelWork(step.kernel);
    case 'contraction': {
      const { prologue, epilogue } = step;
      const parts = [
        prologue && kernelWork(prologue.kernel),
        contractionWork(step),
        epilogue && kernelWork(epilogue.kernel),
      ];
      const all = parts.filter(part => part !== null);
      // What one part leaves the next finds in the cache: it is neither written nor read.
      const passed = [prologue, epilogue].reduce(
        (sum, piece) => (piece === null ? sum : sum + 8 * sizeOf(lengthsOf(piece.kernel.space, 'element'))),
        0,
      );
      return {
        name: all.map(({ name }) => name).join(', '),
        shape: contractionWork(step).shape,
        flops: all.reduce((sum, part) => sum + part.flops, 0),
        bytes: all.reduce((sum, part) => sum + part.bytes, -passed),
      };
    }
    case 'loop': {
      const { op, inputAvals, aval, outputs } = step.instruction;
      const made = outputs ?? [aval];
      const bytes = [...inputAvals, ...made].reduce((sum, each) => sum + bytesIn(each), 0);
      const shape = [inputAvals, made].map(all => all.map(showAval).join(', ')).join(' → ');
      return { name: op === 'external' ? String(step.instruction.params.name) : op, shape, flops: 0, bytes };
    }
    case 'region': {
      const { op, outputs, inputAvals } = step.instruction;
      const length = op === 'fold' ? ` of ${(step.instruction.params as unknown as FoldParams).length} steps` : '';
      return { name: `${op}${length}`, shape: `${inputAvals.length} in, ${outputs!.length} out`, flops: 0, bytes: 0 };
    }
    case 'preparation': {
      const { rows, channels } = step.contraction;
      return { name: 'kernel of a conv', shape: `${rows} × ${channels} channels`, flops: 0, bytes: step.out.bytes };
    }
    default:
      return { name: 'copy', shape: `${step.bytes} bytes`, flops: 0, bytes: 2 * step.bytes };
  }
};

/** All steps, those of bodies behind the step that has them. */
export const allSteps = (plan: Plan): readonly Step[] =>
  plan.steps.flatMap(step => [step, ...(step.kind === 'region' ? step.bodies.flatMap(allSteps) : [])]);

/** Reports of the steps of a plan that runs so many times. */
export const stepReports = (
  plan: Plan,
  msOf: (step: Step) => number,
  times: number | null = 1,
): readonly StepReport[] =>
  plan.steps.map(step => {
    const inner = (): number | null => {
      if (step.kind !== 'region' || times === null) return null;
      const { op, params } = step.instruction;
      return op === 'fold' ? times * (params as unknown as FoldParams).length : op === 'call' ? times : null;
    };
    const steps = step.kind === 'region' ? step.bodies.flatMap(body => stepReports(body, msOf, inner())) : [];
    return { ...workOf(step), times, ms: msOf(step), steps };
  });
