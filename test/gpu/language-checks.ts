/** Kernels of the cases, and how far from the scalar meaning their results are: in Node and in a page. */
import type { Code } from '../../src/tensor/backend/gpu/language/code.js';
import { KernelCode } from '../../src/tensor/backend/gpu/language/kernel-code.js';
import { operate } from '../../src/tensor/backend/gpu/language/operations.js';
import { floatsOfScalar, loadScalar } from '../../src/tensor/backend/gpu/language/scalars.js';
import { ShaderCode } from '../../src/tensor/backend/gpu/language/shader-code.js';
import type { Launcher } from '../../src/tensor/backend/gpu/launch/launcher.js';
import {
  floatsOf,
  type KernelPass,
  type Pass,
  type PassNumber,
  type ShaderPass,
} from '../../src/tensor/backend/gpu/pass.js';
import type { DType, TypedArray } from '../../src/tensor/dtype.js';
import type { Case } from './language-cases.js';

/** As a device stores them. */
const stored = (array: TypedArray, dtype: DType): Float32Array =>
  floatsOf[dtype] === 1
    ? Float32Array.from(array)
    : Float32Array.from({ length: 2 * array.length }, (_, i) => {
        const bits = (array[i >> 1] ?? 0) >>> 0;
        return i % 2 === 0 ? bits & 0xffff : bits >>> 16;
      });

/** The values of numbers that no program gives: constants. */
const constantsOf = (numbers: readonly PassNumber[]): readonly number[] =>
  numbers.map(number => {
    if (number.kind !== 'constant') throw new Error(`a ${number.kind} has no value here`);
    return number.value;
  });

/** The operands at an element, and the primitive on them: as floats. */
const emitted = (
  code: Code,
  { op, params, operands: arrays, dtypes, dtype }: Case,
  index: string,
): readonly string[] => {
  const loaded = arrays.map((_, i) => loadScalar(code, dtypes[i]!, i, index));
  const operands = dtypes.map((_, i) => loaded[i] ?? loaded[0]!);
  return floatsOfScalar(code, operate(code, op, params, operands, dtypes, dtype));
};

/** A kernel that gives the floats of every element in order. */
export const kernelOf = (each: Case, integers: boolean): KernelPass => {
  const code = new KernelCode(integers);
  const thread = 'this.thread.x';
  const floats = floatsOf[each.dtype];
  const element = code.let(floats === 1 ? thread : code.call('floor', `(${thread} * 0.5)`));
  const [first, second] = emitted(code, each, code.integer(element));
  const result = floats === 1 ? first! : code.select(`((${thread} - (2 * ${element})) > 0.5)`, second!, first!);
  return {
    kind: 'kernel',
    name: each.name,
    source: code.source(each.operands.length, result),
    grid: [each.expected.length * floats],
    components: 1,
    reads: each.operands.map((operand, i) => operand.length * floatsOf[each.dtypes[i]!]),
    numbers: code.numbers,
    turns: code.turns,
    flops: 0,
  };
};

/** The same as a shader. */
export const shaderOf = (each: Case): ShaderPass => {
  const code = new ShaderCode();
  const length = each.expected.length;
  const floats = floatsOf[each.dtype];
  const results = emitted(code, each, 'id.x');
  const { text, numbers } = code;
  const offset = numbers.length > 0 ? 1 : 0;
  const bindings = [
    ...each.operands.map((_, i) => `@group(0) @binding(${i + offset}) var<storage, read> b${i}: array<f32>;`),
    `@group(0) @binding(${each.operands.length + offset}) var<storage, read_write> made: array<f32>;`,
  ];
  if (offset > 0) {
    bindings.push(`@group(0) @binding(0) var<uniform> numbers: array<vec4<f32>, ${Math.ceil(numbers.length / 4)}>;`);
  }
  const source = `${bindings.join('\n')}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
if (id.x >= ${length}u) { return; }
${text}
${results.map((x, i) => `made[${floats}u * id.x + ${i}u] = ${x};`).join('\n')}
}`;
  return {
    kind: 'shader',
    name: each.name,
    source,
    workgroups: [Math.ceil(length / 64), 1, 1],
    reads: each.operands.map((operand, i) => operand.length * floatsOf[each.dtypes[i]!]),
    makes: [length * floats],
    numbers,
    flops: 0,
  };
};

/** Elements out of floats. */
const elements = (floats: Float32Array, dtype: DType): readonly number[] =>
  floatsOf[dtype] === 1
    ? Array.from(floats)
    : Array.from({ length: floats.length / 2 }, (_, i) => {
        const bits = floats[2 * i + 1]! * 65536 + floats[2 * i]!;
        return dtype === 'int32' ? bits | 0 : bits;
      });

/** A unit of the last place of a float32. */
const unitOf = (x: number): number => 2 ** (Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -126))) - 23);

/** Near their zeros, where they are differences of larger numbers, the error is that of numbers about 2. */
const absolute: readonly string[] = ['lgamma', 'polygamma', 'logaddexp'];

/** What is computed by one operation that rounds correctly, by none that rounds, or on integers. */
const exact: readonly string[] = [
  'neg',
  'abs',
  'sign',
  'floor',
  'ceil',
  'round',
  'stopGradient',
  'copy',
  'add',
  'sub',
  'mul',
  'max',
  'min',
  'rem',
  'select',
  'cast',
];

/**
 * The units of the last place that a result may be off. Elementary functions 4: their polynomials are good for 2 with
 * fused multiplication and addition, and devices may round every step and divide within 2.5. Of a power those of its
 * exponent besides, which is one rounded float: see power.ts.
 */
const allowed = ({ op, dtype, dtypes }: Case, operands: readonly number[]): number => {
  if (dtype !== 'float32' || dtypes[0] !== 'float32' || exact.includes(op)) return 0;
  if (op !== 'pow') return 4;
  const exponent = operands.at(-1)! * Math.log2(Math.abs(operands[0]!));
  return 4 + (Number.isFinite(exponent) ? Math.abs(exponent) : 0);
};

/** Beyond 205887 sines are the device's own, and remainders by what is near the smallest floats are flushed. */
const isDevices = ({ op }: Case, operands: readonly number[]): boolean =>
  (['sin', 'cos', 'tan'].includes(op) &&
    Math.abs(operands[0]!) > 205887 &&
    Math.abs(operands[0]!) < Number.POSITIVE_INFINITY) ||
  (op === 'rem' && Math.abs(operands.at(-1)!) < 2 ** -100);

const isRight = (each: Case, got: number, wanted: number, operands: readonly number[]): boolean => {
  if (Number.isNaN(wanted)) return Number.isNaN(got);
  if (got === wanted) return true;
  // Devices may take what is below the normal numbers for zero.
  const near = Math.max(Math.abs(wanted), absolute.includes(each.op) ? 2 : 0);
  return (
    Number.isFinite(wanted) && Math.abs(got - wanted) <= Math.max(2 ** -126, allowed(each, operands) * unitOf(near))
  );
};

/** What is wrong with a result: the first wrong element, and how many there are. */
const differences = (each: Case, floats: Float32Array, onDevice: boolean): readonly string[] => {
  const got = elements(floats, each.dtype);
  if (got.length !== each.expected.length) return [`${each.name}: ${got.length} elements, not ${each.expected.length}`];
  const operandsAt = (i: number): number[] => each.operands.map(operand => operand[i]!);
  const wrong = got.flatMap((x, i) => {
    const operands = operandsAt(i);
    return (onDevice && isDevices(each, operands)) || isRight(each, x, each.expected[i]!, operands) ? [] : [i];
  });
  if (wrong.length === 0) return [];
  const at = wrong[0]!;
  const of = operandsAt(at).join(', ');
  return [`${each.name}: ${wrong.length} of ${got.length} wrong; of ${of} ${got[at]}, not ${each.expected[at]}`];
};

/** What is wrong on a launcher with the kernels, or shaders, of some cases. */
export const wrongOn = async (
  launcher: Launcher,
  passOf: (each: Case, integers: boolean) => Pass,
  some: readonly Case[],
): Promise<readonly string[]> => {
  const onDevice = launcher.mode !== 'cpu' && launcher.mode !== 'webasm';
  const wrong: string[] = [];
  for (const each of some) {
    const pass = passOf(each, launcher.traits.integers);
    const reads = each.operands.map((operand, i) => launcher.upload(stored(operand, each.dtypes[i]!)));
    const made = launcher.launch(await launcher.prepare(pass), reads, constantsOf(pass.numbers));
    wrong.push(...differences(each, await launcher.read(made[0]!), onDevice));
    for (const buffer of [...reads, ...made]) launcher.free(buffer);
  }
  return wrong;
};
