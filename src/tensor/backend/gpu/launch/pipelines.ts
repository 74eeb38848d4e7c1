/** Passes, translated and compiled; equal ones share what was made of them. */
import { DeviceError } from '../../../errors.js';
import type { Pass } from '../pass.js';
import type { GpuInstance } from './gpujs.js';
import {
  type GpuBindGroup,
  type GpuBindGroupLayout,
  type GpuComputePipeline,
  type GpuDevice,
  stageCompute,
} from './webgpu-types.js';
import { type Shader, type Translation, translateKernel, translateShader, translationKey } from './wgsl.js';

/** Passes and pipelines that are kept to be shared; who has one keeps it anyway. */
const most = 4096;

/** Bytes that every buffer has at least, so that a shader can bind it as any array: of vectors of four, too. */
export const leastBinding = 16;

interface Compiled {
  readonly pipeline: GpuComputePipeline;
  readonly layout: GpuBindGroupLayout;
}

/** What equal passes share. */
export class Prepared {
  readonly translation: Translation;
  readonly pipeline: GpuComputePipeline;
  readonly layout: GpuBindGroupLayout;
  /** By the numbers of the buffers bound, the oldest first. */
  readonly groups = new Map<string, GpuBindGroup>();
  /** The state of the pool that they are good for. */
  epoch = 0;
  /** Where in the uniform buffer which numbers are. */
  readonly offsets = new Map<string, number>();
  /** The round of the uniform buffer that these are good for. */
  round = 0;

  constructor(translation: Translation, { pipeline, layout }: Compiled) {
    this.translation = translation;
    this.pipeline = pipeline;
    this.layout = layout;
  }
}

/** Keeps so many; the one that came first goes first. */
export const keep = <T>(map: Map<string, T>, key: string, value: T, most: number): void => {
  map.set(key, value);
  if (map.size <= most) return;
  for (const first of map.keys()) {
    map.delete(first);
    return;
  }
};

export class Pipelines {
  readonly #gpu: GpuInstance;
  readonly #device: GpuDevice;
  readonly #prepared = new Map<string, Prepared | Promise<Prepared>>();
  readonly #compiled = new Map<string, Promise<Compiled>>();

  constructor(gpu: GpuInstance, device: GpuDevice) {
    this.#gpu = gpu;
    this.#device = device;
  }

  /** @throws DeviceError with the source, when it does not compile */
  of(pass: Pass): Prepared | Promise<Prepared> {
    const key = translationKey(pass);
    const known = this.#prepared.get(key);
    if (known !== undefined) return known;
    const preparing = this.#prepare(pass);
    keep(this.#prepared, key, preparing, most);
    preparing.then(
      prepared => {
        if (this.#prepared.get(key) === preparing) this.#prepared.set(key, prepared);
      },
      () => {
        if (this.#prepared.get(key) === preparing) this.#prepared.delete(key);
      },
    );
    return preparing;
  }

  clear(): void {
    this.#prepared.clear();
    this.#compiled.clear();
  }

  async #prepare(pass: Pass): Promise<Prepared> {
    const translation =
      pass.kind === 'kernel' ? translateKernel(this.#gpu, this.#device, pass) : translateShader(this.#device, pass);
    const { shader } = translation;
    const key = `${shader.reads} ${shader.makes} ${shader.uniformBytes} ${shader.code}`;
    let compiling = this.#compiled.get(key);
    if (compiling === undefined) {
      compiling = this.#compile(pass.name, shader);
      keep(this.#compiled, key, compiling, most);
      compiling.catch(() => this.#compiled.delete(key));
    }
    return new Prepared(translation, await compiling);
  }

  async #compile(name: string, { code, reads, makes, uniformBytes }: Shader): Promise<Compiled> {
    const device = this.#device;
    const storage = (type: 'storage' | 'read-only-storage') => ({ type, minBindingSize: leastBinding });
    const buffers = [
      ...(uniformBytes === 0
        ? []
        : [{ type: 'uniform', hasDynamicOffset: true, minBindingSize: uniformBytes } as const]),
      ...Array.from({ length: reads }, () => storage('read-only-storage')),
      ...Array.from({ length: makes }, () => storage('storage')),
    ];
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code, label: name });
    const layout = device.createBindGroupLayout({
      entries: buffers.map((buffer, binding) => ({ binding, visibility: stageCompute, buffer })),
    });
    const compiling = device.createComputePipelineAsync({
      label: name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module },
    });
    const scope = device.popErrorScope();
    try {
      const pipeline = await compiling;
      return { pipeline, layout };
    } catch (cause) {
      const { messages } = await module.getCompilationInfo().catch(() => ({ messages: [] }));
      const errors = messages.filter(({ type }) => type === 'error');
      const said = errors.map(({ lineNum, linePos, message }) => `${lineNum}:${linePos} ${message}`).join('; ');
      const reason = said || (cause instanceof Error ? cause.message : String(cause));
      throw new DeviceError(
        {
          operation: name,
          given: `this shader:\n${code}\n`,
          rule: `WebGPU does not compile it (${reason})`,
          hint: 'This is a defect of the library: please report it.',
        },
        { cause },
      );
    } finally {
      // What it says of an error is what has been thrown.
      await scope.catch(() => null);
    }
  }
}
