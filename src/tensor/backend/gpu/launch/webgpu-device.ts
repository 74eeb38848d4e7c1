/** WebGPU, wherever this runs: a page has it; Node has it from the optional package `webgpu`, which is Dawn. */
import { type GpuJs, loadGpuJs } from './gpujs.js';
import type { GpuAdapter, GpuDevice } from './webgpu-types.js';

interface NodeGpu {
  requestAdapter(): Promise<GpuAdapter | null>;
}

/** What is used of the package. */
interface NodeWebGpu {
  create(flags: readonly string[]): NodeGpu;
  readonly globals: Readonly<Record<string, unknown>>;
}

interface Navigator {
  readonly gpu?: object;
}

const navigatorHere = (): Navigator | undefined => Reflect.get(globalThis, 'navigator') as Navigator | undefined;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The first line: what follows in errors of Node's loader is a list of files. */
const brief = (error: unknown): string => messageOf(error).split('\n', 1)[0] ?? '';

/** Dawn zeroes the memory of workgroups by a loop of its own, and has not the driver do it. */
const zeroesItself = 'disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension';

/**
 * Dawn, as it is for GPUs. SwiftShader zeroes the memory of workgroups by an instruction for each of its words, and takes
 * seconds to compile a product of matrices that way: for adapters in software Dawn zeroes it.
 */
const instanceOf = async ({ create }: NodeWebGpu): Promise<NodeGpu> => {
  const gpu = create([]);
  // Who asks for a device gets the reason where there is no adapter.
  const adapter = await gpu.requestAdapter().catch(() => null);
  return adapter?.info?.isFallbackAdapter === true ? create([zeroesItself]) : gpu;
};

/** Puts WebGPU where gpu.js looks for it. Nothing that is there is replaced. */
const provide = async (): Promise<void> => {
  if (navigatorHere()?.gpu !== undefined) return;
  const host = Reflect.get(globalThis, 'process') as { readonly versions?: { readonly node?: string } } | undefined;
  const version = host?.versions?.node;
  if (version === undefined)
    throw new Error('this page has no WebGPU (navigator.gpu is missing: it needs a browser that has it, and https)');
  // Bundlers for pages must not look for it, so it is no literal.
  const name = ['web', 'gpu'].join('');
  let node: NodeWebGpu;
  try {
    node = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as NodeWebGpu;
  } catch (error) {
    throw new Error(`the package webgpu is not installed or does not load (${brief(error)})`, { cause: error });
  }
  for (const [key, value] of Object.entries(node.globals)) {
    if (key in globalThis) continue;
    Object.defineProperty(globalThis, key, { value, configurable: true, writable: true, enumerable: false });
  }
  const gpu = await instanceOf(node);
  const navigator = navigatorHere();
  if (navigator !== undefined) {
    Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true, enumerable: true });
    return;
  }
  // As later versions of Node have it.
  const value = { userAgent: `Node.js/${version.split('.', 1)[0]}`, gpu };
  Object.defineProperty(globalThis, 'navigator', { value, configurable: true, writable: true, enumerable: false });
};

/** @throws Error with the reason when there is none */
export const acquireWebGpu = async (): Promise<{
  readonly gpuJs: GpuJs;
  readonly adapter: GpuAdapter;
  readonly device: GpuDevice;
}> => {
  await provide();
  const gpuJs = await loadGpuJs();
  try {
    const { adapter, device } = await gpuJs.WebGPUContext.acquire();
    return { gpuJs, adapter: adapter as GpuAdapter, device: device as GpuDevice };
  } catch (error) {
    // gpu.js adds what to do with gpu.js.
    throw new Error(`WebGPU gives no device: ${messageOf(error).split('. ', 1)[0]}`, { cause: error });
  }
};

/** What an adapter calls itself. */
export const nameOf = ({ info }: GpuAdapter): string => {
  const { description = '', vendor = '', architecture = '', device = '' } = info ?? {};
  const parts = [vendor, architecture, device].filter(part => part !== '').join(' ');
  return description || parts || 'an adapter without a name';
};

const limitNames = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxUniformBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
];

/** The limits of a device that matter here. */
export const limitsOf = ({ limits }: GpuDevice): Readonly<Record<string, number>> =>
  Object.fromEntries(
    limitNames.flatMap((name): [string, number][] => {
      const limit = limits[name];
      return limit === undefined ? [] : [[name, limit]];
    }),
  );
