/**
 * A pass as a shader with its bindings: what is compiled, and what a launch of it has to say. gpu.js only translates:
 * its own way to run a kernel takes a promise, a submission and a write of parameters for each.
 */
import { DeviceError } from '../../../errors.js';
import type { KernelPass, ShaderPass } from '../pass.js';
import type { GpuInstance, GpuKernelInternals } from './gpujs.js';
import { failed, keyOf } from './kernels.js';
import type { GpuDevice } from './webgpu-types.js';

/** What a shader is, apart from its name: equal ones are compiled once. */
export interface Shader {
  readonly code: string;
  readonly reads: number;
  readonly makes: number;
  /** Of its uniform; 0 when it has none. */
  readonly uniformBytes: number;
}

/** How a shader is launched for a pass. */
export interface Translation {
  readonly shader: Shader;
  readonly workgroups: readonly [x: number, y: number, z: number];
  /** The words of the uniform before the numbers. */
  readonly header: readonly number[];
  /** For each number whether it is an integer, not a float. */
  readonly integers: readonly boolean[];
}

/** Threads of a workgroup; the least that a device has at most. */
const threads = 256;
/** Threads of a workgroup that differ in x alone, where there are other axes. */
const row = 64;
/** The most of a workgroup in z. */
const deep = 64;

/** The parts of a kernel of gpu.js that translation is about. */
interface Translated extends GpuKernelInternals {
  _buildAsync(): Promise<void>;
  readonly compiledSource: string;
  readonly componentCount: number;
  readonly paramsLayout: {
    readonly arrayArgs: readonly { readonly dimsOffset: number }[];
    readonly scalarArgs: readonly { readonly offset: number; readonly type: string }[];
    readonly byteLength: number;
  };
}

const powerFrom = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(n, 1)));

/** Lengths of a workgroup for a grid: as wide as the grid, up to a bound. */
const workgroupOf = (grid: readonly number[]): readonly [x: number, y: number, z: number] => {
  const [nx = 1, ny = 1, nz = 1] = grid;
  if (grid.length === 1) return [threads, 1, 1];
  const x = Math.min(powerFrom(nx), row);
  const y = Math.min(powerFrom(ny), threads / x);
  const z = Math.min(powerFrom(nz), threads / x / y, deep);
  return [x, y, z];
};

/** A comparison of a float with itself, as both languages are written: false for NaN. */
const itself = /\((\w+) ?== ?\1\)/g;

/**
 * The code with such comparisons made by bits. WGSL lets compilers assume that there are no NaNs (15.7), and NVIDIA's does so
 * with what it computes itself.
 */
const knowingNaN = (code: string): string => {
  const changed = code.replace(itself, 'isNumber($1)');
  if (changed === code) return code;
  return `${changed}\nfn isNumber(x : f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) <= 0x7f800000u; }\n`;
};

const refused = (operation: string, given: string, rule: string): DeviceError =>
  new DeviceError({ operation, given, rule, hint: 'This is a defect of the library: please report it.' });

const checkWorkgroups = (name: string, groups: readonly number[], most: number): void => {
  for (const [i, count] of groups.entries()) {
    if (count <= most) continue;
    throw refused(
      name,
      `${count} workgroups in ${'xyz'[i]}`,
      `this device starts at most ${most} (maxComputeWorkgroupsPerDimension)`,
    );
  }
};

const checkBindings = (name: string, reads: number, makes: number, device: GpuDevice): void => {
  const most = device.limits.maxStorageBuffersPerShaderStage ?? 8;
  if (reads + makes <= most) return;
  throw refused(
    name,
    `${reads} buffers to read and ${makes} to make`,
    `a shader of this device binds at most ${most} (maxStorageBuffersPerShaderStage)`,
  );
};

/** What gpu.js makes of a kernel. It is told of its arguments by examples. */
const translate = (gpu: GpuInstance, pass: KernelPass): Translated => {
  const { source, grid, reads, numbers, turns } = pass;
  try {
    const made = gpu.createKernel(source, {
      output: grid,
      precision: 'single',
      pipeline: true,
      immutable: true,
      loopMaxIterations: Math.max(turns, 1000),
      argumentTypes: [
        ...reads.map(() => 'WebGPUBuffer'),
        ...numbers.map(({ kind }) => (kind === 'argument' ? 'Integer' : 'Number')),
      ],
    });
    const kernel = made.kernel as Translated;
    // It would go on to compile.
    kernel._buildAsync = () => Promise.resolve();
    kernel.build(...reads.map(n => ({ type: 'WebGPUBuffer', output: [Math.max(n, 1)] })), ...numbers.map(() => 1));
    return kernel;
  } catch (cause) {
    throw failed(pass, 'webgpu', cause);
  } finally {
    gpu.kernels.length = 0;
  }
};

/** The kernel's text with another size of workgroups; null when the text is not the expected one. */
const resized = (code: string, [x, y, z]: readonly number[]): string | null => {
  const parts = code.split(/@workgroup_size\(\d+, \d+, \d+\)/);
  return parts.length === 2 ? parts.join(`@workgroup_size(${x}, ${y}, ${z})`) : null;
};

/** @throws DeviceError when gpu.js does not translate it, or it exceeds the device */
export const translateKernel = (gpu: GpuInstance, device: GpuDevice, pass: KernelPass): Translation => {
  const { name, grid, components, reads } = pass;
  checkBindings(name, reads.length, 1, device);
  const kernel = translate(gpu, pass);
  if (kernel.componentCount !== components) {
    throw refused(name, pass.source, `it returns ${kernel.componentCount} floats where ${components} were said`);
  }
  const most = device.limits.maxComputeWorkgroupsPerDimension ?? 65535;
  const size = workgroupOf(grid);
  const code = resized(knowingNaN(kernel.compiledSource), size);
  if (code === null) throw refused(name, kernel.compiledSource, 'gpu.js 2.24.1 names the size of its workgroups once');

  const [x = 1, y = 1, z = 1] = grid;
  const groups: [number, number, number] = [Math.ceil(x / size[0]), Math.ceil(y / size[1]), Math.ceil(z / size[2])];
  // A kernel of one axis puts its index together of x and y.
  if (grid.length === 1 && groups[0] > most) {
    groups[1] = Math.ceil(groups[0] / most);
    groups[0] = Math.ceil(groups[0] / groups[1]);
  }
  checkWorkgroups(name, groups, most);
  const width = grid.length === 1 ? groups[0] * size[0] : 0;
  const { arrayArgs, scalarArgs, byteLength } = kernel.paramsLayout;
  // The lengths of the grid, those of each buffer, the numbers.
  const header = [x, y, z, width, ...reads.flatMap(n => [n, 1, 1, n])];
  if (
    arrayArgs.some(({ dimsOffset }, i) => dimsOffset !== 16 * (1 + i)) ||
    scalarArgs.some(({ offset }, i) => offset !== 4 * (header.length + i))
  ) {
    throw refused(name, kernel.compiledSource, 'gpu.js 2.24.1 puts lengths before numbers');
  }
  return {
    shader: { code, reads: reads.length, makes: 1, uniformBytes: byteLength },
    workgroups: groups,
    header,
    integers: scalarArgs.map(({ type }) => type === 'Integer'),
  };
};

/** @throws DeviceError when it exceeds the device */
export const translateShader = (device: GpuDevice, pass: ShaderPass): Translation => {
  const { name, source, workgroups, reads, makes, numbers } = pass;
  checkBindings(name, reads.length, makes.length, device);
  checkWorkgroups(name, workgroups, device.limits.maxComputeWorkgroupsPerDimension ?? 65535);
  return {
    shader: {
      code: knowingNaN(source),
      reads: reads.length,
      makes: makes.length,
      uniformBytes: 16 * Math.ceil(numbers.length / 4),
    },
    workgroups,
    header: [],
    integers: numbers.map(() => false),
  };
};

/** Everything that a translation depends on. */
export const translationKey = (pass: KernelPass | ShaderPass): string =>
  pass.kind === 'kernel'
    ? `kernel ${keyOf(pass)}`
    : `shader ${pass.workgroups} ${pass.reads.length} ${pass.makes.length} ${pass.numbers.length} ${pass.source}`;
